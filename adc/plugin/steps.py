"""One phase of one plugin in a chain, called so that nothing it does can harm the worker."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from dataclasses import dataclass
from typing import Any, Literal

from adc.plugin.base import Plugin
from adc.plugin.context import Context
from adc.plugin.response import Response
from adc.plugin.watch import WATCH, Overrun, watched

OnError = Literal["fail_closed", "fail_open"]


class PluginFailed(Exception):
    """A plugin that fails closed has failed; `status` is the answer to the client."""

    def __init__(self, use: PluginUse, reason: str, status: int = 500) -> None:
        super().__init__(f"plugin {use.name}: {reason}")
        self.status = status


@dataclass(frozen=True)
class Policy:
    """Limits of one use of a plugin. `budget`: seconds that its code may hold the worker at a
    stretch; `timeout`: seconds that one call of an `async def` phase may take in all."""

    on_error: OnError = "fail_closed"
    budget: float = 1.0
    timeout: float = 5.0


class PluginUse:
    """A plugin in a route, with what is counted of it."""

    __slots__ = ("errors", "name", "plugin", "policy", "stops")

    def __init__(self, name: str, plugin: Plugin[Any], policy: Policy) -> None:
        self.name = name
        self.plugin = plugin
        self.policy = policy
        self.errors: dict[tuple[str, str], int] = {}
        self.stops = 0

    def failed(self, context: Context, phase: str, reason: str, detail: str, status: int = 500) -> None:
        """Count and log; raises PluginFailed if this use fails closed."""
        self.errors[phase, reason] = self.errors.get((phase, reason), 0) + 1
        context.warn(detail, phase=phase, reason=reason)
        if self.policy.on_error == "fail_closed":
            raise PluginFailed(self, reason, status)


@dataclass(frozen=True, slots=True)
class Stopped:
    """The plugin at `index` in the chain answered."""

    index: int
    response: Response


class Step:
    """One phase of one use."""

    __slots__ = ("_allowed", "_call", "index", "limit", "phase", "use", "waits")

    def __init__(self, index: int, use: PluginUse, phase: str) -> None:
        self.index = index
        self.use = use
        self.phase = phase
        self._call = getattr(use.plugin, phase)
        self.waits = inspect.iscoroutinefunction(self._call)
        self.limit: int | None = getattr(use.plugin, f"{phase}_limit", None)
        self._allowed = _allowed(phase, self.limit)

    def run(self, context: Context, *arguments: Any) -> Any:
        """Call a `def` phase: its result, or None if it failed and fails open. Raises PluginFailed."""
        try:
            WATCH.begin(self.use.policy.budget)
            try:
                result = self._call(context, *arguments)
            finally:
                WATCH.end()
            return self._checked(result)
        except (Exception, Overrun) as error:
            self.use.failed(context, self.phase, *self._failure(error))

    async def wait(self, context: Context, *arguments: Any) -> Any:
        """The same for a phase of either kind; must run in a task."""
        if not self.waits:
            return self.run(context, *arguments)
        policy = self.use.policy
        try:
            async with asyncio.timeout(policy.timeout):
                result = await watched(self._call(context, *arguments), policy.budget)
            return self._checked(result)
        except asyncio.CancelledError as error:
            if _being_cancelled():
                raise
            failure = self._failure(error)  # what the plugin waited for was cancelled, not the exchange
        except (Exception, Overrun) as error:
            failure = self._failure(error)
        # Not in the handler: the error of a timeout holds the task, which would hold the error raised here.
        self.use.failed(context, self.phase, *failure)
        return None

    def _checked(self, result: Any) -> Any:
        if result is None or isinstance(result, self._allowed):
            if isinstance(result, Response):
                self.use.stops += 1
            return result
        allowed = " or ".join(["None", *(kind.__name__ for kind in self._allowed)])
        raise TypeError(f"{self.phase} returned {type(result).__name__}; allowed: {allowed}")

    def _failure(self, error: BaseException) -> tuple[str, str]:
        """Reason and detail of a failed call."""
        policy = self.use.policy
        if isinstance(error, Overrun):
            return "overrun", f"held the worker for more than its budget of {policy.budget:g} s"
        if isinstance(error, TimeoutError):
            return "timeout", f"took more than {policy.timeout:g} s"
        return "error", _told(error)


def _being_cancelled() -> bool:
    """True if the running task was cancelled. A frame that held the task would be held by its exception: a cycle."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _allowed(phase: str, limit: int | None) -> tuple[type, ...]:
    if phase == "log":
        return ()
    if phase.endswith("_head"):
        return (Response,)
    return (bytes,) if phase == "response_body" and limit is None else (bytes, Response)


def _told(error: BaseException) -> str:
    """The error and where it was raised, on one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
