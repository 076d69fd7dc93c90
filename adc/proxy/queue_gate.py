"""Exchanges that wait until a member of their pool is below its limit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.proxy.pending import Pending

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange
    from adc.proxy.forward import Forward


class Waiter(Pending):
    """Stands in the place of a try at a member while its exchange waits; `wanted` is the only member that will
    do, None if any does."""

    __slots__ = ("_waiting", "forward", "wanted")

    def __init__(
        self, waiting: QueueGate, forward: Forward, exchange: Exchange, wanted: Member | None
    ) -> None:
        super().__init__(exchange)
        self.forward = forward
        self.wanted = wanted
        self._waiting = waiting

    def time_out(self, failure: Failure, phase: str) -> None:
        self.over = True
        self._waiting.leave(self, late=True)
        self.forward.refuse(
            self.exchange, failure if failure is Failure.TOTAL_TIMEOUT else Failure.QUEUE_TIMEOUT
        )

    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        if not self.over:
            self.over = True
            self._waiting.leave(self)


class QueueGate:
    """Lets the queue of one pool in, in its order, whenever a try ends or a member's state changes.

    That happens in a call of its own from the loop: whoever ended a try is not done with it yet.
    """

    __slots__ = ("_due", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._due = False
        pool.watch(self._ended)

    def join(self, forward: Forward, exchange: Exchange, wanted: Member | None = None) -> None:
        """Let `exchange` wait, or refuse it if the queue is full. One whose turn was lost keeps its time
        limit."""
        queue, now = self._pool.queue, exchange.service.clock.now
        deadline = exchange.deadline if exchange.phase == "queue" else now + self._pool.limits.queue_timeout
        waiter = Waiter(self, forward, exchange, wanted)
        if queue is None or not queue.push(waiter, deadline):
            forward.refuse(exchange, Failure.QUEUE_FULL)
            return
        exchange.attempt = waiter
        exchange.limit("queue", deadline - now)
        if self._pool.room:
            self.review()

    @property
    def full(self) -> bool:
        """Whether nobody else may wait."""
        queue = self._pool.queue
        return queue is None or len(queue) >= queue.limit

    def leave(self, waiter: Waiter, *, late: bool = False) -> None:
        """`waiter` gives up."""
        if self._pool.queue is not None:
            self._pool.queue.remove(waiter, late=late)

    def review(self) -> None:
        """See soon whose turn it is."""
        if not self._due and self._pool.queue:
            self._due = True
            asyncio.get_running_loop().call_soon(self._let_in)

    def _ended(self, member: Member, now: float, outcome: Outcome, elapsed: float) -> None:
        queue = self._pool.queue
        if queue is not None and queue.waiting:
            self.review()

    def _let_in(self) -> None:
        self._due = False
        pool, now = self._pool, asyncio.get_running_loop().time()
        queue = pool.queue
        if queue is None:
            return
        pool.refresh(now)
        ready = self._ready if pool.queue is queue else _any  # a reload may have taken the queue away
        for _ in range(len(queue)):  # one who finds no place queues up again
            waiter = queue.pop(now, ready)
            if waiter is None:
                return
            waiter.over = True
            waiter.exchange.attempt = None
            waiter.forward.choose(waiter.exchange)

    def _ready(self, waiter: Waiter) -> bool:
        pool, tried = self._pool, waiter.exchange.tried
        if waiter.wanted is not None:
            return pool.has_room(waiter.wanted)
        return any(map(pool.has_room, pool.beside(tried))) if tried else pool.room


def _any(waiter: Waiter) -> bool:
    return True
