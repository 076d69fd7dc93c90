"""Requests that wait until a member of their pool is below its limit."""

from __future__ import annotations

import asyncio

from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.proxy.phases import QUEUE, Phase
from adc.proxy.upstream.attempt import PoolDispatch
from adc.proxy.upstream.pending import Pending
from adc.proxy.upstream.request import UpstreamRequest


class Waiter(Pending):
    """Stands in the place of an attempt while its request waits. `wanted` is the only member that will do, None if
    any does."""

    __slots__ = ("_gate", "dispatch", "upstream", "wanted")

    def __init__(
        self, gate: QueueGate, dispatch: PoolDispatch, upstream: UpstreamRequest, wanted: Member | None
    ) -> None:
        self.over = False
        self.dispatch = dispatch
        self.upstream = upstream
        self.wanted = wanted
        self._gate = gate

    def time_out(self, failure: Failure, phase: Phase) -> None:
        self.over = True
        self._gate.leave(self, late=True)
        self.dispatch.refuse(self.upstream, failure)

    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        if not self.over:
            self.over = True
            self._gate.leave(self)


class QueueGate:
    """Dispatches the queue of one pool, in its order, whenever an attempt ends or a member's state changes.

    That happens in a call of its own from the loop: whoever ended an attempt is not done with it yet.
    """

    __slots__ = ("_due", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._due = False
        pool.watch(self._ended)

    def join(self, dispatch: PoolDispatch, upstream: UpstreamRequest, wanted: Member | None = None) -> None:
        """Let `upstream` wait, or refuse it if the queue is full. A request that was dispatched in vain keeps its
        deadline."""
        queue, now = self._pool.queue, upstream.context.clock.now
        deadline = upstream.deadline if upstream.phase is QUEUE else now + self._pool.limits.queue_timeout
        waiter = Waiter(self, dispatch, upstream, wanted)
        if queue is None or not queue.push(waiter, deadline):
            dispatch.refuse(upstream, Failure.QUEUE_FULL)
            return
        upstream.attempt = waiter
        upstream.limit(QUEUE, deadline - now)
        if self._pool.room:
            self.review()

    @property
    def full(self) -> bool:
        """True if no further request may wait."""
        queue = self._pool.queue
        return queue is None or len(queue) >= queue.limit

    def leave(self, waiter: Waiter, *, late: bool = False) -> None:
        """Remove `waiter`; `late` if its time was up."""
        if self._pool.queue is not None:
            self._pool.queue.remove(waiter, late=late)

    def review(self) -> None:
        """Dispatch in the next loop iteration."""
        if not self._due and self._pool.queue:
            self._due = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _ended(self, member: Member, now: float, outcome: Outcome, elapsed: float) -> None:
        queue = self._pool.queue
        if queue is not None and queue.waiting:
            self.review()

    def _dispatch(self) -> None:
        self._due = False
        pool, now = self._pool, asyncio.get_running_loop().time()
        queue = pool.queue
        if queue is None:
            return
        pool.refresh(now)
        ready = self._ready if pool.queue is queue else _any  # a reload may have removed the queue
        for _ in range(len(queue)):  # a request that finds no member joins again
            waiter = queue.pop(now, ready)
            if waiter is None:
                return
            waiter.over = True
            waiter.upstream.attempt = None
            waiter.dispatch.choose(waiter.upstream)

    def _ready(self, waiter: Waiter) -> bool:
        pool, tried = self._pool, waiter.upstream.tried
        if waiter.wanted is not None:
            return pool.has_room(waiter.wanted)
        return any(map(pool.has_room, pool.beside(tried))) if tried else pool.room


def _any(waiter: Waiter) -> bool:
    return True
