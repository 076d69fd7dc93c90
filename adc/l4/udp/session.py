"""A UDP session: the datagrams between one client address and one member, over a connected socket."""

from __future__ import annotations

import os
import time
from abc import abstractmethod
from typing import Any, Final

from mypy_extensions import mypyc_attr

from adc.l4.udp.limits import DatagramRate
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.sessions.session import NEW, Session, Timeouts

DATAGRAM: Final = 65_536
"""Bytes to read at once: more than any datagram has (65,507 over IPv4, 65,527 over IPv6), so none is truncated."""

READS: Final = 8
"""Datagrams that a member's socket delivers in one loop iteration; others have their turn then."""

UNLIMITED: Final = 1 << 60

CLOSED: Final = -1
"""Descriptor of a session that has ended."""


_monotonic: Final = time.monotonic
_read: Final = os.read
_write: Final = os.write


@mypyc_attr(allow_interpreted_subclasses=True)
class Relay:
    """What the sessions of one listener share, as they see it.

    `responses` is the number of replies to one datagram, -1 without a limit; `requests` the number of datagrams of a
    client, after which a session takes no more, UNLIMITED without a limit. `learns` is True if replies tell QUIC
    connection ids; `rate` limits the datagrams of a client.
    """

    def __init__(self, name: str, timeouts: Timeouts) -> None:
        self.name = name
        self.timeouts = timeouts
        self.responses = -1
        self.requests = UNLIMITED
        self.learns = False
        self.rate: DatagramRate | None = None
        self.drops: dict[str, int] = {}
        self.datagrams_in = 0
        self.datagrams_out = 0

    @abstractmethod
    def arrive(self, home: Home, key: Any, client: Any, own: Any, data: bytes, now: float) -> None:
        """Open a session for a datagram that belongs to none, under `key` in the sessions of `home`."""

    @abstractmethod
    def admits(self, client: Any, now: float) -> bool:
        """Count a datagram of `client`; False if it is one too many."""

    @abstractmethod
    def moves(self, session: UdpSession, now: float) -> bool:
        """End a session whose member serves no more, if another member serves its client."""

    def dropped(self, reason: str) -> None:
        """Count a datagram that goes no further."""
        self.drops[reason] = self.drops.get(reason, 0) + 1

    @abstractmethod
    def established(self, session: UdpSession, now: float, ends: bool) -> None:
        """Handle the first reply. `ends`: the session is complete with it."""

    @abstractmethod
    def learn(self, session: UdpSession, data: bytes) -> None:
        """Read the QUIC connection id of a reply."""

    @abstractmethod
    def not_sent(self, session: UdpSession, data: bytes, error: OSError, now: float) -> None:
        """Handle a datagram that the member's socket did not accept."""

    @abstractmethod
    def member_failed(self, session: UdpSession, error: OSError, now: float) -> None:
        """Handle an ICMP error: the member cannot be reached."""

    @abstractmethod
    def close(self, session: UdpSession, reason: str, now: float) -> None:
        """End the session; no-op if it has ended."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Path:
    """The way that the replies of a session take: the socket, or the node, by which the last datagram came."""

    @abstractmethod
    def reply(self, session: UdpSession, data: bytes) -> None:
        """Send `data` to the client, from the address that the client used. Raises OSError."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Home(Path):
    """A table of sessions by client, which replies through its socket."""

    @abstractmethod
    def enter(self, key: Any, session: UdpSession) -> None:
        """Route the client's next datagrams to `session`."""

    @abstractmethod
    def leave(self, session: UdpSession) -> None:
        """Forget a session that has ended."""


class UdpSession(Session):
    """`picked` of `upstream` is the member, `fd` the socket to it, `tried` are members that refused before.

    `kept` is the first datagram while no member has replied: it is sent to another member if this one turns out to be
    away. `replied_at` is the time of the first reply, 0.0 before. `home` knows the session, `path` takes its replies.
    """

    __slots__ = ("closed", "fd", "home", "kept", "path", "picked", "relay", "replied_at", "tried", "upstream")

    def __init__(self, relay: Relay, home: Home, client: Any, own: Any) -> None:
        super().__init__("udp", relay.name, client, own, relay.timeouts)
        self.relay = relay
        self.home = home
        self.path: Path = home
        self.closed = False
        self.fd: int = CLOSED
        self.kept: bytes | None = None
        self.tried: tuple[Member, ...] = ()
        self.picked: Member | None = None
        self.upstream: Pool | None = None
        self.replied_at = 0.0

    def takes(self, now: float) -> bool:
        """True if the client's next datagram belongs to this session."""
        if self.packets_in >= self.relay.requests:
            return False
        picked = self.picked
        return picked is None or picked.pinnable or not self.relay.moves(self, now)

    def forward(self, data: bytes, now: float) -> None:
        """Send a datagram of the client to the member."""
        self.last = now
        self.packets_in += 1
        self.bytes_in += len(data)
        try:
            _write(self.fd, data)
        except OSError as error:
            self.relay.not_sent(self, data, error, now)

    def ready(self, events: int) -> None:
        """Send what the member's socket has received to the client."""
        if self.fd == CLOSED:
            return
        relay = self.relay
        now = _monotonic()
        for _ in range(READS):
            try:
                data = _read(self.fd, DATAGRAM)
            except BlockingIOError:
                return
            except OSError as error:
                relay.member_failed(self, error, now)
                return
            self.last = now
            self.packets_out += 1
            self.bytes_out += len(data)
            relay.datagrams_out += 1
            complete = 0 <= relay.responses * self.packets_in <= self.packets_out
            if self.state == NEW:
                relay.established(self, now, complete)
            if relay.learns:
                relay.learn(self, data)
            try:
                self.path.reply(self, data)
            except BlockingIOError:
                relay.dropped("client_busy")
            except OSError:
                relay.dropped("client_unreachable")
            if complete:
                relay.close(self, "complete", now)
            if self.fd == CLOSED:
                return

    def end(self, reason: str) -> None:
        """End the session. UDP has no packet that would notify either end."""
        self.relay.close(self, reason, _monotonic())
