"""Additions to counters whose callers wait until Redis has made them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from adc.state.interface import Count, Counted
from adc.state.redis_table import Addition

MOST_WAITING = 10_000
_BATCH = 64

Send = Callable[[Sequence[Addition]], Awaitable[Sequence[Count | None]]]


class _Waiting:
    """An addition and the caller that waits for it, `done` being None once it was answered."""

    __slots__ = ("addition", "done", "timer")

    def __init__(self, addition: Addition, done: Counted) -> None:
        self.addition = addition
        self.done: Counted | None = done
        self.timer: asyncio.TimerHandle | None = None

    def answer(self, count: Count | None) -> None:
        """Answer the caller unless it was answered before."""
        done, self.done = self.done, None
        if self.timer is not None:
            self.timer.cancel()
        if done is not None:
            done(count)


class ExactAdditions:
    """Sends the additions of one loop iteration in one batch and answers each caller once, within `limit` seconds.
    `late` is called when Redis takes longer.
    """

    def __init__(self, limit: float, late: Callable[[], None]) -> None:
        self._limit = limit
        self._late = late
        self._queued: list[_Waiting] = []
        self._sent: list[_Waiting] = []
        self._wake = asyncio.Event()

    def add(self, addition: Addition, done: Counted) -> bool:
        """Queue `addition`. False if too many wait already: `done` is not called then."""
        if len(self._queued) >= MOST_WAITING:
            return False
        waiting = _Waiting(addition, done)
        waiting.timer = asyncio.get_running_loop().call_later(self._limit, self._expire, waiting)
        self._queued.append(waiting)
        self._wake.set()
        return True

    async def send_waiting(self, send: Send) -> None:
        """Wait until something is queued, and send a batch of it. Raises what `send` raises."""
        await self._wake.wait()
        self._sent, self._queued = self._queued[:_BATCH], self._queued[_BATCH:]
        if not self._queued:
            self._wake.clear()
        self._sent = [waiting for waiting in self._sent if waiting.done is not None]
        if self._sent:
            counts = await send([waiting.addition for waiting in self._sent])
            for waiting, count in zip(self._sent, counts, strict=True):
                waiting.answer(count)
            self._sent = []

    def wake(self) -> None:
        """Let `send_waiting` return."""
        self._wake.set()

    def fail(self) -> None:
        """Answer every caller that nothing was confirmed."""
        waiting = [*self._sent, *self._queued]
        self._sent, self._queued = [], []
        self._wake.clear()
        for each in waiting:
            each.answer(None)

    def _expire(self, waiting: _Waiting) -> None:
        if waiting.done is not None:
            self._late()
            waiting.answer(None)
