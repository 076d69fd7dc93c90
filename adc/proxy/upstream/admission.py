"""Admission to a pool with a circuit breaker or a queue. Other pools have none of this."""

from __future__ import annotations

from adc.codecs.interface import Link
from adc.pools.breaker import Breaker
from adc.pools.pool import Pool
from adc.proxy.pipeline import Action
from adc.proxy.upstream.forward import Forward
from adc.proxy.upstream.queue_gate import QueueGate
from adc.proxy.upstream.request import UpstreamRequest


class Admit:
    """Refuses at once what the breaker of the pool does not admit, before anything is spent on it."""

    __slots__ = ("_breaker", "_counts_pending", "_forward", "_most_connections", "_next", "_pool")

    def __init__(
        self, pool: Pool, breaker: Breaker, forward: Forward, following: Action[UpstreamRequest]
    ) -> None:
        self._pool = pool
        self._breaker = breaker
        self._forward = forward
        self._next = following
        self._most_connections = breaker.connections
        self._counts_pending = pool.limits.pending > 0

    def __call__(self, upstream: UpstreamRequest) -> None:
        pool = self._pool
        busy = pending = 0
        if self._most_connections:
            busy = sum(member.link.busy for member in pool.members)
        queue = pool.queue
        if self._counts_pending and queue is not None:
            pending = len(queue.waiting)
        failure = self._breaker.refuse(pool.active, pending, busy)
        if failure is None:
            self._next(upstream)
            if self._most_connections:
                self._make_room()
        else:
            upstream.pool = pool.name
            self._forward.refuse(upstream, failure)

    def _make_room(self) -> None:
        """Close idle connections if they and the busy ones are too many by now."""
        links: list[Link] = [member.link for member in self._pool.members]
        for _ in range(sum(link.busy + link.idle for link in links) - self._most_connections):
            idlest = max(links, key=_idle)
            if not idlest.idle:
                return
            idlest.close_oldest()


def _idle(link: Link) -> int:
    return link.idle


class TakeTurns:
    """Queues a new request behind the waiting ones."""

    __slots__ = ("_forward", "_pool", "_queue")

    def __init__(self, pool: Pool, queue: QueueGate, forward: Forward) -> None:
        self._pool = pool
        self._queue = queue
        self._forward = forward

    def __call__(self, upstream: UpstreamRequest) -> None:
        queue = self._pool.queue  # a reload may have brought another one
        if queue is not None and queue.waiting:
            self._forward.enter(upstream)
            self._queue.join(self._forward, upstream)
        else:
            self._forward.start(upstream)
