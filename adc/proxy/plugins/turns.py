"""Long work of plugins, shared out over iterations of the loop so that all other exchanges go on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

SHARE: Final = 0.004
"""Seconds that plugins may work before the loop goes on."""


class Turns:
    """Runs what waits for its turn, in order, for about `SHARE` seconds in each iteration. `over` is True once this
    iteration has used its share."""

    __slots__ = ("_loop", "_scheduled", "_used", "_waiting", "over")

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scheduled = False
        self._used = 0.0
        self.over = False

    def spend(self, seconds: float) -> None:
        """Count work."""
        self._used += seconds
        if self._used > SHARE:
            self.over = True
            self._schedule()

    def wait(self, work: Callable[[], None]) -> None:
        """Run `work` when it is its turn, in a later iteration."""
        self._schedule()
        self._waiting.append(work)

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._waiting.clear()
            self._scheduled = False
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._next)

    def _next(self) -> None:
        self._scheduled = False
        self._used = 0.0
        self.over = False
        try:
            while self._waiting and not self.over:
                self._waiting.popleft()()
        finally:
            if self._waiting:
                self._schedule()


TURNS: Final = Turns()
