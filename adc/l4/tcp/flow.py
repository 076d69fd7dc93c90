"""One TCP flow: its member, its attempts, its entry in the session table and its end. The bytes are its subclasses'."""

from __future__ import annotations

from abc import abstractmethod
from math import inf
from typing import TYPE_CHECKING, Any

from adc.http.client import Client, Flow
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.sessions.session import ESTABLISHED, NEW, Session

if TYPE_CHECKING:
    from adc.l4.tcp.service import TcpService
    from adc.l4.tcp.upstream import Upstream
    from adc.net.proxy_protocol import Endpoints

_SERVED: int = 200
"""Outcome of a flow that its member served: a status that is no failure."""


class TcpFlow(Session):
    """A flow between a client and a member of one pool.

    `tried` are the members to which no connection could be made; `queue_until` bounds the time in the pool's
    queue. `asked`: the client's pin was looked for, on other machines too.
    """

    __slots__ = (
        "_began",
        "_elapsed",
        "_pool",
        "asked",
        "facts",
        "over",
        "queue_until",
        "service",
        "target",
        "tried",
        "upstream",
    )

    def __init__(self, service: TcpService, client: Any, own: Any, peer: str) -> None:
        super().__init__("tcp", service.name, client, own, service.timeouts)
        self.service = service
        self.facts = Flow(Client(peer, "tcp", address=client, own_address=own))
        self.upstream: Upstream | None = None
        self.target: Member | None = None
        self.tried: tuple[Member, ...] = ()
        self.over = False
        self.asked = False
        self.queue_until: float = 0.0
        self._pool: Pool | None = None
        self._began: float = 0.0
        self._elapsed: float = 0.0

    @property
    def peer(self) -> str:
        """The client's address as text."""
        return self.facts.source

    @property
    def retiring(self) -> bool:
        """False: only the ends of a flow know where a request ends."""
        return False

    def opened(self) -> bool:
        """Enter the listener and the session table; False if the client has too many connections."""
        service = self.service
        if not service.state.opened(self):
            service.report("limit_connections_per_source", "", self.peer)
            return False
        service.flows += 1
        if service.flow_seconds < inf:
            service.by_age[self] = None
        service.table.open(self, service.clock.now)
        return True

    def choose(self) -> None:
        """Choose a member and connect to it, wait for one, or refuse the flow."""
        upstream, now = self.upstream, self.service.clock.now
        if self.over or upstream is None:
            return
        pool = upstream.pool
        breaker = pool.breaker
        if breaker is not None:
            reason = breaker.refuse(pool.active, upstream.waiting, pool.active)
            if reason is not None:
                self.refuse(reason)
                return
        member: Member | None = None
        if upstream.pins is not None and not self.tried:
            then = None if self.asked else self.choose
            self.asked = True
            pinned = upstream.pins.member(pool, self.facts, now, then)
            if pinned is Failure.CLIENT_GONE:
                return
            if isinstance(pinned, Failure):
                self.refuse(pinned)
                return
            if pinned is not None and pool.has_room(pinned):
                member = pinned
        if member is None:
            member = pool.pick(self.facts, now, self.tried)
        if member is not None:
            self._attempt(pool, member, now)
        elif upstream.enqueue(self, now):
            self.watch_client()
        else:
            self.refuse(Failure.QUEUE_FULL if upstream.pool.beside(self.tried) else Failure.NO_MEMBER)

    def _attempt(self, pool: Pool, member: Member, now: float) -> None:
        self._pool, self.target, self._began = pool, member, now
        self.pool, self.member = pool.name, member.name
        self.last = now
        pool.started(member, now)
        self.wait_for(self.service.connect_timeout)
        self.connect(member)

    def wait_for(self, seconds: float) -> None:
        """Have `too_late` called in `seconds` unless what the flow waits for comes first."""
        service = self.service
        service.connecting.add(self, seconds, service.clock.now)
        service.begun.append(self)

    def established(self) -> None:
        """Note that the member has accepted the connection."""
        service, member = self.service, self.target
        now = service.clock.now
        service.connecting.remove(self)
        self._elapsed = now - self._began
        service.table.moved(self, ESTABLISHED, now)
        upstream = self.upstream
        if (
            upstream is not None
            and upstream.pins is not None
            and member is not None
            and self._pool is not None
        ):
            upstream.pins.assign(self._pool, self.facts, member)

    def attempt_failed(self, failure: Failure) -> None:
        """Try another member, or refuse the flow."""
        service, member = self.service, self.target
        self.disconnect()
        service.connecting.remove(self)
        if member is not None:
            service.failed(self.pool, member.name, failure.value)
            self.tried = (*self.tried, member)
        self._leave(failure)
        tries = len(self.tried) < service.attempts and failure is not Failure.CONNECTION_LIMIT
        if tries and member is not None and self._left():
            member.retries += 1
            self.choose()
            return
        self.refuse(failure)

    def _left(self) -> bool:
        return self.upstream is not None and bool(self.upstream.pool.beside(self.tried))

    def too_late(self, now: float) -> None:
        """Called when what the flow waits for did not come in time."""
        if self.target is not None:
            self.attempt_failed(Failure.CONNECTION_TIMEOUT)
        else:
            self.refuse_hello("hello_timeout", f"no ClientHello within {self.service.hello_timeout:g} s")

    def refuse(self, failure: Failure) -> None:
        """End a flow for which there is no member."""
        pool = "" if self.upstream is None else self.upstream.pool.name
        self.service.report(failure.value, f"pool {pool}", self.peer)
        self.end(failure.value)

    def refuse_hello(self, reason: str, detail: str) -> None:
        """End a flow whose first bytes lead nowhere."""
        self.service.report(reason, detail, self.peer)
        self.end(reason)

    def closed(self, reason: str, outcome: Outcome = _SERVED) -> None:
        """Leave everything that knows the flow; the sockets are closed already."""
        if self.over:
            return
        self.over = True
        service = self.service
        if self.state == NEW:
            service.connecting.remove(self)
            if outcome == _SERVED:
                outcome = Failure.CLIENT_GONE  # the attempt was neither a success nor a failure of the member
        if service.by_age:
            service.by_age.pop(self, None)
        if self.upstream is not None and self.target is None:
            self.upstream.leave(self)
        service.bytes_in += self.bytes_in
        service.bytes_out += self.bytes_out
        service.ends[reason] = service.ends.get(reason, 0) + 1
        service.state.closed(self)
        service.table.closed(self, reason, service.clock.now)
        self._leave(outcome)

    def _leave(self, outcome: Outcome) -> None:
        """Release the member."""
        member, pool = self.target, self._pool
        self.target = None
        if member is not None and pool is not None:
            now = self.service.clock.now
            pool.finished(member, now, outcome, self._elapsed or now - self._began)

    def leaves(self, has_sent: bool) -> bool:
        """Return True if a client that has closed its half, and maybe sent bytes before, does not wait any longer for a
        member.

        A client that has sent bytes may want them delivered, and a response; one that waits in the queue without having
        sent any has gone away, as in HAProxy.
        """
        return self.service.abort_on_close or (self.target is None and not has_sent)

    def timed_out(self) -> None:
        """No-op: the session table knows when a flow is idle."""

    def retire(self) -> None:
        """No-op: a flow cannot move to another worker."""

    def drain(self) -> None:
        """No-op: a flow goes on until its ends close it."""

    @abstractmethod
    def connect(self, member: Member) -> None:
        """Begin to connect to `member`; `established` or `attempt_failed` follows."""

    @abstractmethod
    def watch_client(self) -> None:
        """Notice from now on that the client leaves, although the flow is not joined."""

    @abstractmethod
    def disconnect(self) -> None:
        """Close what was opened towards the member of a failed attempt."""

    @abstractmethod
    def end(self, reason: str) -> None:
        """End the flow at both ends."""


def endpoints_of(client: Any, own: Any) -> Endpoints | None:
    """Return the ends for a PROXY protocol header; None if they are no addresses with ports."""
    if isinstance(client, tuple) and isinstance(own, tuple) and len(client) > 1 and len(own) > 1:
        return (client[0], client[1]), (own[0], own[1])
    return None
