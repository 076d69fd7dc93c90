"""Content of one message on its way through the body phases of a chain."""

from __future__ import annotations

from collections.abc import Sequence

from adc.plugin.collector import BodyTooLarge, Collector
from adc.plugin.context import Context
from adc.plugin.phase_call import PhaseCall, Stopped
from adc.plugin.response import Response

__all__ = ["BodyPass", "BodyTooLarge"]


class BodyPass:
    """Feeds chunks through `calls`. `waits` if `wait` must be used instead of `feed`; `limit` is the smallest of the
    calls' limits; `received` is the size of the last chunk fed.

    Both return the content to send on, or Stopped; they raise PluginFailed, and BodyTooLarge for requests.
    """

    __slots__ = ("_collectors", "limit", "received", "waits")

    def __init__(self, calls: Sequence[PhaseCall], contexts: Sequence[Context]) -> None:
        self._collectors = [Collector(call, contexts[call.index]) for call in calls]
        limits = [call.limit for call in calls if call.limit is not None and not call.observes]
        self.limit = min(limits) if limits else None
        self.waits = any(call.waits for call in calls)
        self.received = 0

    @property
    def withholds(self) -> bool:
        """True while nothing comes out, because a phase wants the content whole or its beginning."""
        return any(each.withholds for each in self._collectors)

    @property
    def changes(self) -> bool:
        """True if the content may differ from what was received."""
        return any(each.changes for each in self._collectors)

    @property
    def finished(self) -> bool:
        """True if no phase reads more of the content."""
        return all(each.over for each in self._collectors)

    def feed(self, data: bytes, end: bool) -> bytes | Stopped:
        """Pass a chunk through `def` phases."""
        self.received = len(data)
        for collector in self._collectors:
            if collector.collect(data, end):
                call = collector.call
                result = call.run_with(collector.context, collector.inspected, collector.whole)
                if isinstance(result, Response):
                    return Stopped(call.index, result)
                collector.replace(result)
            data = collector.passing
            if not data and not end:
                return b""
        return data

    async def wait(self, data: bytes, end: bool) -> bytes | Stopped:
        """Pass a chunk through phases of either kind."""
        self.received = len(data)
        for collector in self._collectors:
            if collector.collect(data, end):
                call = collector.call
                result = await call.wait(collector.context, collector.inspected, collector.whole)
                if isinstance(result, Response):
                    return Stopped(call.index, result)
                collector.replace(result)
            data = collector.passing
            if not data and not end:
                return b""
        return data
