"""The sessions of one UDP listener: opened, moved to other members, ended."""

from __future__ import annotations

import errno
import os
import socket
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Final

from mypy_extensions import mypyc_attr

from adc.http.client import Client, Flow
from adc.l4.pins import Pins
from adc.l4.udp.client_socket import ClientSocket
from adc.l4.udp.descriptors import UdpDescriptors
from adc.l4.udp.member_sockets import MemberSockets
from adc.l4.udp.no_port import NoPort
from adc.l4.udp.quic import ConnectionIds
from adc.l4.udp.session import CLOSED, UNLIMITED, Home, Relay, UdpSession
from adc.l4.udp.sources import SessionSources
from adc.net.reactor import Reactor
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.sessions.session import ESTABLISHED, NEW, Timeouts
from adc.sessions.table import SessionTable

KEPT_BYTES: Final = 16 << 20
"""Datagrams of one listener and worker that are kept, in bytes, in case that their member turns out to be away."""

REPLIED: Final[Outcome] = 200
"""Outcome of a session with replies, for balancers and ejection, which know the statuses of HTTP."""

_SHORT: Final = frozenset(
    {errno.EADDRINUSE, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
)
_CROWDED: Final = frozenset({errno.EAGAIN, errno.ENOBUFS})

_write: Final = os.write
_close: Final = os.close

Admission = Callable[[Any, Any], bool]


@mypyc_attr(allow_interpreted_subclasses=True)
class Owners:
    """The nodes that own sessions, as a relay sees them; without a cluster there is none."""

    @abstractmethod
    def arrive(self, home: Home, key: Any, client: Any, own: Any, data: bytes, now: float) -> None:
        """Find the owner of a datagram that belongs to no session of this worker."""

    @abstractmethod
    def opened(self, session: UdpSession) -> None:
        """Note that this node owns a session."""

    @abstractmethod
    def moved(self, session: UdpSession) -> None:
        """Note that a session has another member than its record says."""

    @abstractmethod
    def closed(self, session: UdpSession) -> None:
        """Note that a session has ended."""


class UdpRelay(Relay):
    """Opens sessions to members of `pool`. Attributes are settings, which a reload replaces."""

    def __init__(
        self,
        name: str,
        timeouts: Timeouts,
        reactor: Reactor,
        table: SessionTable,
        sockets: MemberSockets,
        pool: Pool,
        descriptors: UdpDescriptors,
    ) -> None:
        super().__init__(name, timeouts)
        self.descriptors = descriptors
        self.pool = pool
        self.sockets = sockets
        self.reactor = reactor
        self.table = table
        self.max_sessions = UNLIMITED
        self.sources: SessionSources | None = None
        self.admission: Admission | None = None
        self.draining = False
        self.sessions = 0
        self.opened = 0
        self.quic: ConnectionIds | None = None
        self.owners: Owners | None = None
        self.pins: Pins | None = None
        self._kept = 0

    def admits(self, client: Any, now: float) -> bool:
        if self.rate is None or self.rate.admit(client[0], now):
            return True
        self.dropped("limit_rate")
        return False

    def arrive(self, home: Home, key: Any, client: Any, own: Any, data: bytes, now: float) -> None:
        if self.draining:
            self.dropped("draining")
        elif self.owners is not None:
            self.owners.arrive(home, key, client, own, data, now)
        elif self.admitted(client, own):
            self.open(home, key, client, own, data, now)

    def open(
        self,
        home: Home,
        key: Any,
        client: Any,
        own: Any,
        data: bytes,
        now: float,
        named: Member | None = None,
    ) -> UdpSession | None:
        """Open a session and send `data`, to the member `named` first; None if there is a reason to drop it."""
        reason = self._refusal(client)
        if reason:
            self.dropped(reason)
            return None
        return self._open(home, key, client, own, data, now, (), named)

    def admitted(self, client: Any, own: Any) -> bool:
        """True if the firewall lets a new session of `client` begin."""
        if self.admission is None or self.admission(client, own):
            return True
        self.dropped("firewall")
        return False

    def refusal(self, client: Any) -> str:
        """Return why no session would be opened for `client` now, "" if one would."""
        if self.draining:
            return "draining"
        if self.sessions >= self.max_sessions:
            return "limit_connections"
        if self.sources is not None and self.sources.full(client[0]):
            return "limit_source"
        return ""

    def _refusal(self, client: Any) -> str:
        """Return why no session is opened for `client`, "" if one is, which counts for its source then."""
        reason = self.refusal(client)
        if not reason and self.sources is not None:
            self.sources.admit(client[0])
        return reason

    def _open(
        self,
        home: Home,
        key: Any,
        client: Any,
        own: Any,
        data: bytes,
        now: float,
        tried: tuple[Member, ...],
        named: Member | None = None,
    ) -> UdpSession | None:
        session = UdpSession(self, home, client, own)
        session.tried = tried
        if self.quic is not None:
            named = self._named(data) or named
        if not self._connect(session, now, named):
            self._leave(session)
            return None
        if self.quic is not None and session.picked is not None:
            self.quic.sent(data, session.picked.address, now)
        home.enter(key, session)
        self.sessions += 1
        self.opened += 1
        self.table.open(session, now)
        if self.owners is not None:
            self.owners.opened(session)
        if session.fd != CLOSED:
            self._keep(session, data)
            session.forward(data, now)
            if not self.responses:
                self.close(session, "complete", now)
        return session

    def _leave(self, session: UdpSession) -> None:
        if self.sources is not None:
            self.sources.leave(session.client[0], session.number)

    def _named(self, data: bytes) -> Member | None:
        """Return the member that a QUIC connection id names, if it serves."""
        address = None if self.quic is None else self.quic.find(data)
        if address is not None:
            for member in self.pool.members:
                if member.address == address and member.pinnable:
                    return member
        return None

    def learn(self, session: UdpSession, data: bytes) -> None:
        if self.quic is not None and session.picked is not None:
            self.quic.received(data, session.picked.address, session.last)

    def _connect(self, session: UdpSession, now: float, named: Member | None = None) -> bool:
        """Give `session` a socket to a member that was not tried yet, `named` first; False if there is none."""
        flow = Flow(Client(session.client[0], "udp", address=session.client, own_address=session.own))
        pool = self.pool
        while True:
            member = named or self.choose(flow, now, session.tried)
            named = None
            if member is None:
                self.dropped("no_member")
                return False
            try:
                fd = self._socket(member, now)
            except NoPort as error:
                self.dropped(str(error.strerror))
                return False
            except OSError as error:
                pool.started(member, now)
                pool.finished(member, now, _failure(error), 0.0)
                session.tried = (*session.tried, member)
                continue
            if session.closed or not self._watches(fd, session):  # it may have made room for its own retry
                _close(fd)
                return False
            self.descriptors.used += 1
            pool.started(member, now)
            session.picked, session.upstream, session.fd = member, pool, fd
            session.pool, session.member = pool.name, member.name
            return True

    def _watches(self, fd: int, session: UdpSession) -> bool:
        """Have the session called for its socket; False if the kernel watches no more (fs.epoll.max_user_watches)."""
        try:
            self.reactor.add(fd, session)
        except OSError:
            self.dropped("no_watch")
            return False
        return True

    def _socket(self, member: Member, now: float) -> int:
        """Return a socket to `member`; another UDP session makes room if ports or descriptors are short.

        Raises OSError, and NoPort if no room can be made.
        """
        descriptors, shortage = self.descriptors, "no_descriptor"
        for _ in range(2):
            if not descriptors.full:
                try:
                    fd = self.sockets.connect(member)
                except OSError as error:
                    if error.errno not in _SHORT:
                        raise
                    shortage = "no_port" if isinstance(error, NoPort) else "no_descriptor"
                else:
                    if fd < descriptors.last:
                        return fd
                    _close(fd)
            if not self.table.make_room(now, "udp"):
                break
        raise NoPort(errno.EMFILE, shortage)

    def choose(self, flow: Flow, now: float, exclude: tuple[Member, ...]) -> Member | None:
        """Return the member for a new session of `flow`."""
        pins, pool = self.pins, self.pool
        if pins is None or exclude:
            return pool.pick(flow, now, exclude)
        pinned = pins.member(pool, flow, now)
        if isinstance(pinned, Failure):
            return None
        member = pinned or pool.pick(flow, now)
        return None if member is None else pins.assign(pool, flow, member)

    def _keep(self, session: UdpSession, data: bytes) -> None:
        """Keep the first datagram of a session without a reply."""
        if self._kept + len(data) <= KEPT_BYTES:
            session.kept = data
            self._kept += len(data)

    def _release(self, session: UdpSession) -> None:
        kept, session.kept = session.kept, None
        if kept is not None:
            self._kept -= len(kept)

    def established(self, session: UdpSession, now: float, ends: bool) -> None:
        session.replied_at = now
        if session.picked is not None:
            session.picked.replied_at = now
        self._release(session)
        if ends:
            self.table.ending(session, ESTABLISHED, now)
        else:
            self.table.moved(session, ESTABLISHED, now)

    def moves(self, session: UdpSession, now: float) -> bool:
        flow = Flow(Client(session.client[0], "udp", address=session.client, own_address=session.own))
        member = self.pool.pick(flow, now)
        if member is None or member is session.picked:
            return False
        self.close(session, "member_down", now)
        return True

    def not_sent(self, session: UdpSession, data: bytes, error: OSError, now: float) -> None:
        if error.errno in _CROWDED:
            self.dropped("member_busy")
        elif error.errno == errno.EMSGSIZE:
            self._send_again(session, data)
        else:
            self._failed(session, error, data, now)

    def _send_again(self, session: UdpSession, data: bytes) -> None:
        """Send a datagram unless it is too large itself: a router may have found an earlier one too large."""
        try:
            _write(session.fd, data)
        except OSError:
            self.dropped("too_large")

    def member_failed(self, session: UdpSession, error: OSError, now: float) -> None:
        if error.errno == errno.EMSGSIZE:  # from now on the kernel sends fragments that fit the path
            self.dropped("too_large")
        else:
            self._failed(session, error, None, now)

    def _failed(self, session: UdpSession, error: OSError, unsent: bytes | None, now: float) -> None:
        """Have another member answer if this one, which is away, never has; else end the session."""
        member = session.picked
        if session.state != NEW or member is None:
            self._succeed(session, _failure(error), unsent, now)
            return
        self._disconnect(session, _failure(error), now)
        session.tried = (*session.tried, member)
        again = [] if session.kept is None else [session.kept]
        if unsent is not None and unsent is not session.kept:
            again.append(unsent)
        if len(session.tried) == 1:  # what came between them is lost with the first member that is away
            for _ in range(session.packets_in - len(again)):
                self.dropped("member_failed")
        if not again or not self._connect(session, now):
            self.close(session, "member_failed", now)
            return
        member.retries += 1
        if self.owners is not None:
            self.owners.moved(session)
        if session.kept is None:
            self._keep(session, again[0])
        session.packets_in -= len(again)
        session.bytes_in -= sum([len(data) for data in again])
        for data in again:
            if session.fd != CLOSED:
                session.forward(data, now)

    def _succeed(self, session: UdpSession, failure: Failure, data: bytes | None, now: float) -> None:
        """End a session whose member was there before; `data`, which was not sent, opens another one."""
        home, member = session.home, session.picked
        self.close(session, "member_failed", now, failure)
        self.dropped("member_failed")  # the one that the member's host refused; `data` came after it
        if data is None or member is None:
            return
        if not isinstance(home, ClientSocket):
            self.dropped("member_failed")
            return
        reason = self._refusal(session.client)
        if reason:
            self.dropped(reason)
            return
        key, client, own = home.key_of(session), session.client, session.own
        successor = self._open(home, key, client, own, data, now, (member,))
        if successor is not None and self.owners is not None:
            self.owners.moved(successor)

    def _disconnect(self, session: UdpSession, outcome: Outcome, now: float) -> None:
        """Close the socket to the member."""
        self.reactor.closing(session.fd)
        _close(session.fd)
        session.fd = CLOSED
        self.descriptors.used -= 1
        member, pool = session.picked, session.upstream
        if member is not None and pool is not None:
            member.bytes_out += session.bytes_in
            member.bytes_in += session.bytes_out
            pool.finished(member, now, outcome, (session.replied_at or now) - session.created)
        session.picked = session.upstream = None

    def close(self, session: UdpSession, reason: str, now: float, outcome: Outcome | None = None) -> None:
        if session.picked is not None:
            self._disconnect(session, self._outcome(session, reason) if outcome is None else outcome, now)
        if session.closed:
            return
        session.closed = True
        self._release(session)
        self.sessions -= 1
        self._leave(session)
        session.home.leave(session)
        self.table.closed(session, reason, now)
        if self.owners is not None:
            self.owners.closed(session)

    def _outcome(self, session: UdpSession, reason: str) -> Outcome:
        """Return what the end of a session says about its member. Silence says nothing if the member has replied to
        another client since: anyone can send datagrams that no member would answer."""
        if session.state == ESTABLISHED:
            return REPLIED
        member = session.picked
        if reason == "expired" and self.responses > 0 and member and member.replied_at < session.created:
            return Failure.RESPONSE_TIMEOUT
        return Failure.CLIENT_GONE


def _failure(error: OSError) -> Failure:
    if isinstance(error, socket.gaierror):
        return Failure.DNS_ERROR
    return Failure.CONNECTION_REFUSED if error.errno == errno.ECONNREFUSED else Failure.UNROUTABLE
