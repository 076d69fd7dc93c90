"""The plugins of one route, compiled: only phases that a plugin defines are in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from adc.http.message import Request
from adc.plugin.base import PHASES, defined_phases
from adc.plugin.body import BodyPass
from adc.plugin.context import Context, Log
from adc.plugin.steps import PluginUse, Step, Stopped
from adc.plugin.watch import WATCH

START_SECONDS = CLOSE_SECONDS = 10.0
"""How long `start` and `close` of one plugin may take."""


class StartFailed(Exception):
    """A plugin did not start; the text names it and says why."""


class HeadPhase:
    """The steps of a head phase in the order they run; `waits` if one of them is `async def`."""

    __slots__ = ("steps", "waits")

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)
        self.waits = any(step.waits for step in steps)

    def run(self, contexts: Sequence[Context], depth: int) -> Stopped | None:
        """Run the steps of the first `depth` plugins until one answers. Raises PluginFailed."""
        for step in self.steps:
            if step.index < depth:
                response = step.run(contexts[step.index])
                if response is not None:
                    return Stopped(step.index, response)
        return None

    async def wait(self, contexts: Sequence[Context], depth: int) -> Stopped | None:
        """The same for steps of either kind; must run in a task."""
        for step in self.steps:
            if step.index < depth:
                response = await step.wait(contexts[step.index])
                if response is not None:
                    return Stopped(step.index, response)
        return None


class Chain:
    """The plugins of a route, and how many exchanges use them (`enter`, `leave`).

    `empty` if no plugin defines a phase: then nothing of the chain belongs into the pipeline.
    """

    def __init__(self, route: str, uses: Sequence[PluginUse]) -> None:
        self.route = route
        self.uses = tuple(uses)
        steps: dict[str, list[Step]] = {phase: [] for phase in PHASES}
        for index, use in enumerate(self.uses):
            for phase in defined_phases(type(use.plugin)):
                steps[phase].append(Step(index, use, phase))
        self.request_head = HeadPhase(steps["request_head"])
        self.request_body = tuple(steps["request_body"])
        self.response_head = HeadPhase(steps["response_head"][::-1])
        self.response_body = tuple(steps["response_body"][::-1])
        self.log = tuple(steps["log"])
        self.empty = not any(steps.values())
        self._exchanges = 0
        self._when_idle: Callable[[], None] | None = None

    @property
    def depth(self) -> int:
        """How many plugins there are."""
        return len(self.uses)

    @property
    def sees_responses(self) -> bool:
        """Whether a plugin has a response phase."""
        return bool(self.response_head.steps or self.response_body)

    def contexts(self, request: Request, request_id: str, log: Log) -> list[Context]:
        """A context for each plugin."""
        return [Context(use.name, self.route, request, request_id, log) for use in self.uses]

    def body(self, steps: Sequence[Step], contexts: Sequence[Context], depth: int) -> BodyPass | None:
        """The way of content through those of `steps` that want it; None if none does."""
        wanted = [step for step in steps if step.index < depth and not contexts[step.index].skips(step.phase)]
        return BodyPass(wanted, contexts) if wanted else None

    def enter(self) -> None:
        """An exchange begins to use the plugins."""
        self._exchanges += 1

    def leave(self) -> None:
        """An exchange needs them no more."""
        self._exchanges -= 1
        if not self._exchanges and self._when_idle is not None:
            self._when_idle()

    def retire(self, when_idle: Callable[[], None]) -> None:
        """Nothing new will begin: `when_idle` is called as soon as the last exchange has left."""
        self._when_idle = when_idle
        if not self._exchanges:
            when_idle()

    async def start(self) -> None:
        """Start the plugins, all or none. Raises StartFailed."""
        WATCH.install()
        for index, use in enumerate(self.uses):
            try:
                async with asyncio.timeout(START_SECONDS):
                    await use.plugin.start()
            except (Exception, SystemExit) as error:
                await _close(self.uses[:index])
                raise StartFailed(
                    f"plugin {use.name} does not start: {type(error).__name__}: {error}"
                ) from error

    async def close(self) -> list[str]:
        """Close the plugins, all of them whatever happens; what went wrong is returned."""
        return await _close(self.uses)


async def _close(uses: Sequence[PluginUse]) -> list[str]:
    problems = []
    for use in uses:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await use.plugin.close()
        except Exception as error:
            problems.append(f"plugin {use.name} does not close: {type(error).__name__}: {error}")
    return problems
