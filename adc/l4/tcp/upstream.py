"""The pool of a TCP listener as its flows use it: choice, pins, the queue, and what connections begin with."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from adc.http.client import Flow
from adc.l4.tcp.targets import Targets
from adc.persistence.decide import Action, MemberState, Stickiness, decide
from adc.persistence.identity import member_id
from adc.persistence.interface import PENDING
from adc.persistence.table import TablePersistence
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Admin, Member
from adc.pools.pool import Pool
from adc.pools.queue import WaitQueue

if TYPE_CHECKING:
    from adc.l4.tcp.flow import TcpFlow


class Pins:
    """Keeps clients on their members, by their addresses. `wall()` returns epoch seconds."""

    def __init__(
        self, persistence: TablePersistence[Flow], stickiness: Stickiness, wall: Callable[[], float]
    ) -> None:
        self._persistence = persistence
        self._stickiness = stickiness
        self._wall = wall

    def member(
        self, pool: Pool, flow: Flow, now: float, then: Callable[[], None] | None
    ) -> Member | Failure | None:
        """Return the member that the client of `flow` is pinned to, NO_MEMBER if only that may serve it and cannot,
        None if any may. `then` is called later instead (with CLIENT_GONE as result) if another machine must be asked;
        None if it was asked.
        """
        pin = self._persistence.pinned(flow, self._wall())
        if pin is PENDING:
            if then is not None:
                self._persistence.fetch(flow, self._wall(), lambda _: then())
                return Failure.CLIENT_GONE
            pin = None
        ids = {member_id(pool.name, member.address): member for member in pool.members}
        found = None if pin is None else ids.get(pin.member)
        verdict = decide(pin, _state(found), self._wall(), self._stickiness)
        if verdict.action is Action.REFUSE:
            return Failure.NO_MEMBER
        if verdict.moves:
            counts = self._persistence.counts.moved
            counts[verdict.reason] = counts.get(verdict.reason, 0) + 1
        return found if verdict.action is Action.KEEP else None

    def assign(self, pool: Pool, flow: Flow, member: Member) -> None:
        """Pin the client of `flow` to `member`, which it is connected to."""
        wall = self._wall()
        pin = self._persistence.pinned(flow, wall)
        known = None if pin is PENDING else pin
        self._persistence.assigned(flow, member_id(pool.name, member.address), wall, known)


def _state(member: Member | None) -> MemberState:
    if member is None:
        return MemberState.REMOVED
    if member.admin is Admin.DISABLED:
        return MemberState.DISABLED
    if not member.pinnable:
        return MemberState.DOWN
    return MemberState.UP if member.admin is Admin.ENABLED else MemberState.DRAINING


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
        """Serve new flows, and those that wait, by `pool`."""
        self.pool = pool
        pool.watch(self._ended)
        limits = pool.limits
        if self.queue is not None:
            self.queue.limit = limits.queue
            self._review()
        elif limits.queue:
            self.queue = WaitQueue(limits.queue, newest_first=limits.newest_first)

    def enqueue(self, flow: TcpFlow, now: float) -> bool:
        """Let `flow` wait for a member below its limit; False if waiting does not help, or the queue is full."""
        queue = self.queue
        if queue is None or not queue.limit or not self.pool.beside(flow.tried):
            return False
        if not flow.queue_until:
            flow.queue_until = now + self.pool.limits.queue_timeout
        return queue.push(flow, flow.queue_until)

    def leave(self, flow: TcpFlow, *, late: bool = False) -> None:
        """Remove a flow that does not wait any more."""
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
        """Refuse the flows that have waited too long."""
        queue = self.queue
        if queue is None or not queue.waiting:
            return
        for flow in [flow for flow, deadline in queue.waiting.items() if deadline <= now]:
            queue.remove(flow, late=True)
            flow.refuse(Failure.QUEUE_TIMEOUT)
        if queue.waiting:
            self._review()
