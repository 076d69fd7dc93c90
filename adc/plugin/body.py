"""Content of one message on its way through the body phases of a chain."""

from __future__ import annotations

from collections.abc import Sequence

from adc.plugin.context import Context
from adc.plugin.phase_call import PhaseCall, Stopped
from adc.plugin.response import Response


class BodyTooLarge(Exception):
    """Request content exceeds the limit of a plugin that wants it whole."""


class _Collector:
    """Content buffered for one call."""

    __slots__ = ("buffered", "call", "context", "over", "size")

    def __init__(self, call: PhaseCall, context: Context) -> None:
        self.call = call
        self.context = context
        self.buffered: list[bytes] = []
        self.size = 0
        self.over = False

    def collect(self, data: bytes, end: bool) -> bytes | None:
        """Return the content for the next call of the phase; None while more is needed.

        Response content over the limit passes the phase by (`over`) if the plugin fails open.
        """
        limit = self.call.limit
        if limit is None or self.over:
            return data if data or end else None
        self.buffered.append(data)
        self.size += len(data)
        if self.size > limit:
            self._exceed(limit)
        elif not end:
            return None
        whole = b"".join(self.buffered)
        self.buffered.clear()
        return whole

    def _exceed(self, limit: int) -> None:
        if self.call.phase == "request_body":
            raise BodyTooLarge
        self.over = True
        detail = f"the content exceeds the limit of {limit} bytes"
        self.call.use.failed(self.context, self.call.phase, "limit", detail)


class BodyPass:
    """Feeds chunks through `calls`. `whole` if nothing comes out before the end; `waits` if `wait` must be used
    instead of `feed`; `limit` is the smallest of the calls' limits.

    Both return the content to send on, or Stopped; they raise PluginFailed, and BodyTooLarge for requests.
    """

    __slots__ = ("_collectors", "limit", "waits")

    def __init__(self, calls: Sequence[PhaseCall], contexts: Sequence[Context]) -> None:
        self._collectors = [_Collector(call, contexts[call.index]) for call in calls]
        limits = [call.limit for call in calls if call.limit is not None]
        self.limit = min(limits) if limits else None
        self.waits = any(call.waits for call in calls)

    @property
    def whole(self) -> bool:
        """True if nothing comes out before the end, because a phase wants the content whole."""
        return any(each.call.limit is not None and not each.over for each in self._collectors)

    def feed(self, data: bytes, end: bool) -> bytes | Stopped:
        """Pass a chunk through `def` phases."""
        for collector in self._collectors:
            collected = collector.collect(data, end)
            if collected is None:
                return b""
            data = collected
            if not collector.over:
                result = collector.call.run(collector.context, data, end)
                if isinstance(result, Response):
                    return Stopped(collector.call.index, result)
                data = data if result is None else result
        return data

    async def wait(self, data: bytes, end: bool) -> bytes | Stopped:
        """Pass a chunk through phases of either kind."""
        for collector in self._collectors:
            collected = collector.collect(data, end)
            if collected is None:
                return b""
            data = collected
            if not collector.over:
                result = await collector.call.wait(collector.context, data, end)
                if isinstance(result, Response):
                    return Stopped(collector.call.index, result)
                data = data if result is None else result
        return data
