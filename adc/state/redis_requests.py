"""Requests to Redis whose callers wait for the result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

MOST_WAITING = 10_000
_BATCH = 64

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")


class _Waiting(Generic[RequestT, ResultT]):
    """A request and the caller that waits for its result, `done` being None once it was answered."""

    __slots__ = ("done", "request", "timer")

    def __init__(self, request: RequestT, done: Callable[[ResultT | None], None]) -> None:
        self.request = request
        self.done: Callable[[ResultT | None], None] | None = done
        self.timer: asyncio.TimerHandle | None = None

    def answer(self, result: ResultT | None) -> None:
        """Answer the caller unless it was answered before."""
        done, self.done = self.done, None
        if self.timer is not None:
            self.timer.cancel()
        if done is not None:
            done(result)


class ExactRequests(Generic[RequestT, ResultT]):
    """Sends the requests of one loop iteration in one batch and answers each caller once, within `limit` seconds; None
    says that nothing was confirmed. `late` is called when Redis takes longer.
    """

    def __init__(self, limit: float, late: Callable[[], None]) -> None:
        self._limit = limit
        self._late = late
        self._queued: list[_Waiting[RequestT, ResultT]] = []
        self._sent: list[_Waiting[RequestT, ResultT]] = []
        self._wake = asyncio.Event()

    def add(self, request: RequestT, done: Callable[[ResultT | None], None]) -> bool:
        """Queue `request`. False if too many wait already: `done` is not called then."""
        if len(self._queued) >= MOST_WAITING:
            return False
        waiting: _Waiting[RequestT, ResultT] = _Waiting(request, done)
        waiting.timer = asyncio.get_running_loop().call_later(self._limit, self._expire, waiting)
        self._queued.append(waiting)
        self._wake.set()
        return True

    async def send_waiting(
        self, send: Callable[[Sequence[RequestT]], Awaitable[Sequence[ResultT | None]]]
    ) -> None:
        """Wait until something is queued, and send a batch of it. Raises what `send` raises."""
        await self._wake.wait()
        self._sent, self._queued = self._queued[:_BATCH], self._queued[_BATCH:]
        if not self._queued:
            self._wake.clear()
        self._sent = [waiting for waiting in self._sent if waiting.done is not None]
        if self._sent:
            results = await send([waiting.request for waiting in self._sent])
            for waiting, result in zip(self._sent, results, strict=True):
                waiting.answer(result)
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

    def _expire(self, waiting: _Waiting[RequestT, ResultT]) -> None:
        if waiting.done is not None:
            self._late()
            waiting.answer(None)
