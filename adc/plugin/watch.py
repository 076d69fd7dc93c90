"""A watch on plugin code that holds the worker: interrupted when its budget is over."""

from __future__ import annotations

import atexit
import signal
import threading
import types
from collections.abc import Coroutine, Generator
from math import inf
from time import monotonic
from typing import Any, TypeVar

from adc.plugin.phase_end import PHASE_END

_LOOK = 0.025
"""Seconds of processor time between two checks."""

ResultT = TypeVar("ResultT")


class Overrun(BaseException):
    """Plugin code exceeded its budget. Not an Exception, so that the code's own handlers do not catch it."""


class Watch:
    """Checks the running phase each 25 ms of processor time (SIGPROF) and interrupts endless loops and
    regular expressions that backtrack for ever. Code that blocks in the kernel is detected when it returns.

    Each call of a phase sets `PHASE_END.until`, when its budget is over, and resets it to infinity.
    """

    def __init__(self) -> None:
        self._installed = False

    def install(self) -> None:
        """Start the timer. Only the main thread can; elsewhere overruns are detected afterwards."""
        if not self._installed and threading.current_thread() is threading.main_thread():
            self._installed = True
            signal.signal(signal.SIGPROF, self._look)
            signal.siginterrupt(signal.SIGPROF, False)
            signal.setitimer(signal.ITIMER_PROF, _LOOK, _LOOK)
            atexit.register(_stop_timer)  # the interpreter drops its signal handlers before it has ended

    def begin(self, budget: float) -> None:
        """Allow plugin code to run from here on, for `budget` seconds."""
        PHASE_END.until = monotonic() + budget

    def end(self) -> None:
        """Note that plugin code has returned. Raises Overrun if that took too long."""
        until, PHASE_END.until = PHASE_END.until, inf
        if monotonic() > until:
            raise Overrun

    def _look(self, number: int, frame: types.FrameType | None) -> None:
        if monotonic() > PHASE_END.until:
            raise Overrun


def _stop_timer() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)


WATCH = Watch()


@types.coroutine
def watched(work: Coroutine[Any, Any, ResultT], budget: float) -> Generator[Any, Any, ResultT]:
    """Await `work`; each stretch between two of its awaits is held to `budget` seconds. Raises Overrun."""
    resume, value = work.send, None
    try:
        while True:
            WATCH.begin(budget)
            try:
                waits_for = resume(value)
            except StopIteration as done:
                result: ResultT = done.value
                return result
            finally:
                WATCH.end()
            try:
                resume, value = work.send, (yield waits_for)
            except BaseException as error:
                resume, value = work.throw, error
    finally:
        value = None  # an error that was thrown in holds this frame: a cycle otherwise
        work.close()
