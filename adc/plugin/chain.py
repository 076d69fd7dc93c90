"""The plugins of one route, compiled: only phases that a plugin defines are in it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from adc.http.headers import Pair
from adc.http.message import Request
from adc.plugin.base import PHASES
from adc.plugin.body import BodyPass
from adc.plugin.context import Context, Log
from adc.plugin.host import Services
from adc.plugin.phase_call import PhaseCall, Stopped
from adc.plugin.response import Response
from adc.plugin.use import PluginStartFailed, PluginUse
from adc.plugin.watch import WATCH

Walk = Coroutine[Any, Any, Any]
"""The rest of a head phase, to be awaited."""


class HeadPhase:
    """The calls of a head phase in the order they run; `waits` if one of them is `async def`."""

    __slots__ = ("calls", "waits")

    def __init__(self, calls: Sequence[PhaseCall]) -> None:
        self.calls = tuple(calls)
        self.waits = any(call.waits for call in calls)

    def run(self, contexts: Sequence[Context], depth: int) -> Stopped | Walk | None:
        """Run the calls of the first `depth` plugins until one answers, or has to wait: then await the rest. Raises
        PluginFailed."""
        for position, call in enumerate(self.calls):
            if call.index < depth:
                result = call.run(contexts[call.index])
                if isinstance(result, Response):
                    return Stopped(call.index, result)
                if result is not None:
                    return self._rest(position, result, contexts, depth)
                if call.transforms:
                    call.settle(contexts[call.index])
        return None

    async def _rest(
        self, position: int, work: Walk, contexts: Sequence[Context], depth: int
    ) -> Stopped | None:
        """Finish the call at `position`, then do as `wait` for the calls after it."""
        call = self.calls[position]
        response = await call.finish(contexts[call.index], work)
        if response is not None:
            return Stopped(call.index, response)
        if call.transforms:
            call.settle(contexts[call.index])
        return await HeadPhase(self.calls[position + 1 :]).wait(contexts, depth)

    async def wait(self, contexts: Sequence[Context], depth: int) -> Stopped | None:
        """Do as `run` for calls of either kind, within a task."""
        for call in self.calls:
            if call.index < depth:
                response = await call.wait(contexts[call.index])
                if response is not None:
                    return Stopped(call.index, response)
                if call.transforms:
                    call.settle(contexts[call.index])
        return None


class ResponsePhases:
    """The response phases of some plugins of a route. `transforming` are the indexes of plugins that replace
    content."""

    __slots__ = ("body", "head", "transforming")

    def __init__(self, head: Sequence[PhaseCall], body: Sequence[PhaseCall]) -> None:
        self.head = HeadPhase(head)
        self.body = tuple(body)
        self.transforming = tuple(call.index for call in head if call.transforms)

    def __bool__(self) -> bool:
        return bool(self.head.calls or self.body)


class Chain:
    """The plugins of a route, and a count of the exchanges that use them (`enter`, `leave`).

    `responses` are the response phases of all plugins, those of `cached` ones first: the order is the same with and
    without a cache on the route. `before_cache` are those between the member and the cache, and `after_cache` the
    others. `depth` is the number of plugins. `empty` if no plugin defines a phase: then nothing of the chain belongs
    into the pipeline. `admission` is that of the only phase of the chain: a request that it admits passes the chain.
    """

    def __init__(self, route: str, uses: Sequence[PluginUse]) -> None:
        self.route = route
        self.uses = tuple(uses)
        self.depth = len(self.uses)
        self._names = tuple([use.name for use in uses])
        self._exchanges = 0
        self._when_idle: Callable[[], None] | None = None
        self._compile()

    def _compile(self) -> None:
        calls: dict[str, list[PhaseCall]] = {phase: [] for phase in PHASES}
        for index, use in enumerate(self.uses):
            for phase in use.phases:
                calls[phase].append(PhaseCall(index, use, phase))
        self.request_head = HeadPhase(calls["request_head"])
        self.request_body = tuple(calls["request_body"])
        head, body = calls["response_head"][::-1], calls["response_body"][::-1]
        before, after = _cached(head, True), _cached(head, False)
        body_before, body_after = _cached(body, True), _cached(body, False)
        self.responses = ResponsePhases(before + after, body_before + body_after)
        self.before_cache = ResponsePhases(before, body_before)
        self.after_cache = ResponsePhases(after, body_after)
        self.error_head = tuple(call for call in head if call.use.plugin.error_pages)
        self.log = tuple(calls["log"])
        fields = [use.plugin.identity for use in self.uses]
        self._identity = tuple(each for each in fields if each is not None)
        self.empty = not any(calls.values())
        only = [call for phase in PHASES for call in calls[phase]]
        self.admission = only[0].admission if len(only) == 1 and not self._identity else None

    def passable(self, trailers: list[Pair]) -> list[Pair]:
        """Return those trailers of a request that have no name of a field that only plugins may write."""
        identity = self._identity
        return [pair for pair in trailers if not any(each.covers(pair[0]) for each in identity)]

    def contexts(self, request: Request, request_id: str, log: Log) -> list[Context]:
        """Return a context for each plugin."""
        route = self.route
        return [Context(name, route, request, request_id, log) for name in self._names]

    def transforms(self, phases: ResponsePhases, contexts: Sequence[Context], depth: int) -> bool:
        """True if one of the first `depth` plugins replaces the content of this response."""
        return any(
            index < depth and not contexts[index].skips("response_body") for index in phases.transforming
        )

    def body(self, calls: Sequence[PhaseCall], contexts: Sequence[Context], depth: int) -> BodyPass | None:
        """Return the path of content through the `calls` that want it; None if none does."""
        wanted = [call for call in calls if call.index < depth and not contexts[call.index].skips(call.phase)]
        return BodyPass(wanted, contexts) if wanted else None

    def beginning(
        self, calls: Sequence[PhaseCall], contexts: Sequence[Context], depth: int
    ) -> BodyPass | None:
        """Return the same for phases that inspect the beginning: they are called without content too."""
        return self.body([call for call in calls if call.inspect is not None], contexts, depth)

    def enter(self) -> None:
        """Count an exchange that begins to use the plugins."""
        self._exchanges += 1

    def leave(self) -> None:
        """Count an exchange that has ended."""
        self._exchanges -= 1
        if not self._exchanges and self._when_idle is not None:
            self._when_idle()

    def retire(self, when_idle: Callable[[], None]) -> None:
        """Call `when_idle` as soon as the last exchange has left; no new one begins."""
        self._when_idle = when_idle
        if not self._exchanges:
            when_idle()

    async def start(self, services: Services) -> None:
        """Start the plugins, all or none. Raises PluginStartFailed."""
        WATCH.install()
        for index, use in enumerate(self.uses):
            try:
                await use.start(self.route, services)
            except PluginStartFailed:
                await _close(self.uses[:index])
                raise
        self._compile()  # a plugin may have learned in `start` how much content it wants

    async def close(self) -> list[str]:
        """Close every plugin, even if another one raises; return the errors."""
        return await _close(self.uses)


def _cached(calls: Sequence[PhaseCall], cached: bool) -> list[PhaseCall]:
    return [call for call in calls if call.use.plugin.cached is cached]


async def _close(uses: Sequence[PluginUse]) -> list[str]:
    problems = []
    for use in uses:
        problems += await use.close()
    return problems
