"""The pool of a TCP listener for its flows: choice of members, queue, PROXY protocol and TLS."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from adc.l4.pins import Pins
from adc.l4.targets import Targets
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.queue import WaitQueue

if TYPE_CHECKING:
    from adc.l4.tcp.flow import TcpFlow


class Upstream:
    """One pool of a listener; a reload changes it in place.

    `version` is that of the PROXY protocol towards members, "" for none; `tls` is the context and the server name
    towards members, None for plain connections.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, pool: Pool, targets: Targets) -> None:
        self._loop = loop
        self._due = False
        self.pool = pool
        self.targets = targets
        self.pins: Pins | None = None
        self.version = ""
        self.tls: tuple[ssl.SSLContext, str | None] | None = None
        self.queue: WaitQueue[TcpFlow] | None = None
        self.follow(pool)

    def follow(self, pool: Pool) -> None:
        """Serve new and queued flows by `pool`."""
        self.pool = pool
        pool.watch(self._ended)
        limits = pool.limits
        if self.queue is not None:
            self.queue.limit = limits.queue
            self._review()
        elif limits.queue:
            self.queue = WaitQueue(limits.queue, newest_first=limits.newest_first)

    @property
    def waiting(self) -> int:
        """The number of flows that wait for a member."""
        return 0 if self.queue is None else len(self.queue)

    def enqueue(self, flow: TcpFlow, now: float) -> bool:
        """Queue `flow` for a member below its limit; False if no member may serve it, or the queue is full."""
        queue = self.queue
        if queue is None or not queue.limit or not self.pool.beside(flow.tried):
            return False
        if not flow.queue_until:
            flow.queue_until = now + self.pool.limits.queue_timeout
        return queue.push(flow, flow.queue_until)

    def dismiss(self, successor: Upstream | None) -> None:
        """Move the queued flows to `successor`, or refuse them: the listener no longer uses this pool."""
        queue = self.queue
        for flow in [] if queue is None else list(queue.waiting):
            self.leave(flow)
            if successor is None:
                flow.refuse(Failure.NO_MEMBER)
            else:
                flow.upstream = successor
                flow.choose()

    def leave(self, flow: TcpFlow, *, late: bool = False) -> None:
        """Remove a flow from the queue."""
        if self.queue is not None:
            self.queue.remove(flow, late=late)

    def _ended(self, member: Member, now: float, outcome: Outcome, elapsed: float) -> None:
        queue = self.queue
        if queue is not None and queue.waiting:
            self._review()

    def _review(self) -> None:
        if not self._due:
            self._due = True
            self._loop.call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._due = False
        queue, now = self.queue, self._loop.time()
        for _ in range(0 if queue is None else len(queue)):  # a flow that finds no member waits again
            flow = queue.pop(now) if queue is not None and self.pool.room else None
            if flow is None:
                return
            flow.choose()

    def tick(self, now: float) -> None:
        """Refuse flows whose queue timeout is over."""
        queue = self.queue
        if queue is None or not queue.waiting:
            return
        for flow in [flow for flow, deadline in queue.waiting.items() if deadline <= now]:
            queue.remove(flow, late=True)
            flow.refuse(Failure.QUEUE_TIMEOUT)
        if queue.waiting:
            self._review()
