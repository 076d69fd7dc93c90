"""The call of one phase of one plugin, made so that nothing it does can harm the worker."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from math import inf
from time import monotonic
from types import CoroutineType
from typing import Any, Final

from adc.plugin.admission import Admission
from adc.plugin.context import Context
from adc.plugin.failures import being_cancelled, failure_of
from adc.plugin.phase_end import PHASE_END
from adc.plugin.response import Response
from adc.plugin.transforming import obstacle, restate
from adc.plugin.use import PluginUse
from adc.plugin.watch import Overrun, watched

_NOT_MODIFIED: Final = 304
_monotonic: Final = monotonic


class Stopped:
    """The plugin at `index` in the chain answered."""

    __slots__ = ("index", "response")

    def __init__(self, index: int, response: Response) -> None:
        self.index = index
        self.response = response


class PhaseCall:
    """One phase of one use. `waits` is True for an `async def` phase; a `def` head phase may still return a coroutine.
    `limit` and `inspect` are the plugin's numbers for a body phase; with `checks` it changes no content, and with
    `passes_larger` larger content is no failure. `transforms`:
    it is the response head phase of a plugin that replaces content. `admission` admits requests without the call."""

    __slots__ = (
        "_allowed",
        "_budget",
        "_call",
        "_may_wait",
        "admission",
        "checks",
        "index",
        "inspect",
        "limit",
        "observes",
        "passes_larger",
        "phase",
        "transforms",
        "use",
        "waits",
    )

    def __init__(self, index: int, use: PluginUse, phase: str) -> None:
        self.index = index
        self.use = use
        self.phase = phase
        self._budget = use.policy.budget
        self._call = getattr(use.plugin, phase)
        self.admission: Admission | None = use.plugin.admission if phase == "request_head" else None
        self.waits = inspect.iscoroutinefunction(self._call)
        self.limit: int | None = getattr(use.plugin, f"{phase}_limit", None)
        self.inspect: int | None = getattr(use.plugin, f"{phase}_inspect", None)
        self.observes = use.plugin.observes
        self.passes_larger = use.plugin.passes_larger and phase == "response_body"
        self.transforms = phase == "response_head" and use.transforms
        self._may_wait = self.waits or phase.endswith("_head")
        self.checks = use.plugin.checks
        allowed = _allowed(phase, self.limit is None and self.inspect is None)
        self._allowed = tuple(kind for kind in allowed if not (self.checks and kind is bytes))

    def run(self, context: Context) -> Any:
        """Call a head phase: return its result, or None if it failed and fails open. A coroutine is for `finish`.
        Raises PluginFailed."""
        if self.admission is not None and self._is_admitted(context):
            return None
        try:
            until = PHASE_END.until = _monotonic() + self._budget
            try:
                result = self._call(context)
            finally:
                PHASE_END.until = inf
            if _monotonic() > until:
                raise Overrun
            return None if result is None else self._checked(result)
        except (Exception, SystemExit, Overrun) as error:
            self.use.failed(context, self.phase, *self._failure(error))

    def run_with(self, context: Context, *arguments: Any) -> Any:
        """Do as `run`, which has no tuple of arguments that would cost every request, for a phase with more of them."""
        try:
            until = PHASE_END.until = _monotonic() + self._budget
            try:
                result = self._call(context, *arguments)
            finally:
                PHASE_END.until = inf
            if _monotonic() > until:
                raise Overrun
            return None if result is None else self._checked(result)
        except (Exception, SystemExit, Overrun) as error:
            self.use.failed(context, self.phase, *self._failure(error))

    async def wait(self, context: Context, *arguments: Any) -> Any:
        """Call a phase of either kind, within a task, and return its result."""
        if self.admission is not None and self._is_admitted(context):
            return None
        result = self.run_with(context, *arguments)
        return await self.finish(context, result) if isinstance(result, CoroutineType) else result

    def _is_admitted(self, context: Context) -> bool:
        """True if the request is admitted without the call."""
        admission = self.admission
        lines = None if admission is None else admission.lines(context.request)
        if lines is None:
            return False
        context.response_lines = lines
        return True

    async def finish(self, context: Context, work: Coroutine[Any, Any, Any]) -> Any:
        """Await what the phase returned; the result is that of `run`."""
        policy = self.use.policy
        try:
            async with asyncio.timeout(policy.timeout):
                result = await watched(work, policy.budget)
            return self._checked(result)
        except asyncio.CancelledError as error:
            if being_cancelled():
                raise
            failure = self._failure(error)  # what the plugin waited for was cancelled, not the exchange
        except (Exception, SystemExit, Overrun) as error:
            failure = self._failure(error)
        # Not in the handler: the error of a timeout holds the task, which would hold the error raised here.
        self.use.failed(context, self.phase, *failure)
        return None

    def settle(self, context: Context) -> None:
        """Restate the head for later phases, unless the plugin skips the content. Content that cannot be given to the
        plugin whole and plain is a failure of it. Raises PluginFailed."""
        response = context.response
        if response is None or response.status == _NOT_MODIFIED or context.skips("response_body"):
            return
        problem = obstacle(response)
        if problem:
            context.skip_response_body()
            self.use.failed(context, "response_body", "content", problem)
        else:
            restate(response)

    def _checked(self, result: Any) -> Any:
        if isinstance(result, CoroutineType):
            if self._may_wait:
                return result
            result.close()
        if self.observes:
            return None
        if result is None or isinstance(result, self._allowed):
            if isinstance(result, Response):
                self.use.stopped.add()
            return result
        allowed = " or ".join(["None", *[kind.__name__ for kind in self._allowed]])
        raise TypeError(f"{self.phase} returned {type(result).__name__}; allowed: {allowed}")

    def _failure(self, error: BaseException) -> tuple[str, str]:
        """Return reason and detail of a failed call."""
        policy = self.use.policy
        if isinstance(error, TimeoutError):
            return "timeout", f"took more than {policy.timeout:g} s"
        return failure_of(error, policy.budget)


def _allowed(phase: str, in_chunks: bool) -> tuple[type, ...]:
    if phase == "log":
        return ()
    if phase.endswith("_head"):
        return (Response,)
    return (bytes,) if phase == "response_body" and in_chunks else (bytes, Response)
