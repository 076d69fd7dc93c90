"""Content of one message on its way through the body phases of a chain."""

from __future__ import annotations

from collections.abc import Sequence

from adc.plugin.context import Context
from adc.plugin.response import Response
from adc.plugin.steps import Step, Stopped


class BodyTooLarge(Exception):
    """Request content is over the limit of a plugin that wants it whole."""


class _Collector:
    """What one step has of the content."""

    __slots__ = ("context", "held", "over", "size", "step")

    def __init__(self, step: Step, context: Context) -> None:
        self.step = step
        self.context = context
        self.held: list[bytes] = []
        self.size = 0
        self.over = False

    def take(self, data: bytes, end: bool) -> bytes | None:
        """What the step is to be called with now; None while it waits for more.

        Response content over the limit is no longer the step's (`over`), if it fails open.
        """
        limit = self.step.limit
        if limit is None or self.over:
            return data if data or end else None
        self.held.append(data)
        self.size += len(data)
        if self.size > limit:
            self._over(limit)
        elif not end:
            return None
        whole = b"".join(self.held)
        self.held.clear()
        return whole

    def _over(self, limit: int) -> None:
        if self.step.phase == "request_body":
            raise BodyTooLarge
        self.over = True
        detail = f"the content is over the limit of {limit} bytes"
        self.step.use.failed(self.context, self.step.phase, "limit", detail)


class BodyPass:
    """Feeds pieces through `steps`. `whole` says that nothing comes out before the end; `waits`, that `wait`
    must be used instead of `feed`; `limit` is the smallest of the steps' limits.

    Both return what is to be sent on, or Stopped; they raise PluginFailed, and BodyTooLarge for requests.
    """

    __slots__ = ("_collectors", "limit", "waits")

    def __init__(self, steps: Sequence[Step], contexts: Sequence[Context]) -> None:
        self._collectors = [_Collector(step, contexts[step.index]) for step in steps]
        limits = [step.limit for step in steps if step.limit is not None]
        self.limit = min(limits) if limits else None
        self.waits = any(step.waits for step in steps)

    @property
    def whole(self) -> bool:
        """Whether nothing comes out before the end, because a step waits for it."""
        return any(each.step.limit is not None and not each.over for each in self._collectors)

    def feed(self, data: bytes, end: bool) -> bytes | Stopped:
        """A piece through `def` phases."""
        for collector in self._collectors:
            taken = collector.take(data, end)
            if taken is None:
                return b""
            data = taken
            if not collector.over:
                result = collector.step.run(collector.context, data, end)
                if isinstance(result, Response):
                    return Stopped(collector.step.index, result)
                data = data if result is None else result
        return data

    async def wait(self, data: bytes, end: bool) -> bytes | Stopped:
        """A piece through phases of either kind."""
        for collector in self._collectors:
            taken = collector.take(data, end)
            if taken is None:
                return b""
            data = taken
            if not collector.over:
                result = await collector.step.wait(collector.context, data, end)
                if isinstance(result, Response):
                    return Stopped(collector.step.index, result)
                data = data if result is None else result
        return data
