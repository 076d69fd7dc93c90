"""A client connection as the session table knows it."""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, Final, Protocol

from adc.sessions.session import ESTABLISHED, Session

if TYPE_CHECKING:
    from adc.smtp.caller import Caller

_LAST_ACK: Final = 56
"""Offset of tcpi_last_ack_recv (milliseconds) in struct tcp_info."""

_RESET: Final = struct.pack("ii", 1, 0)

_TCP_REPAIR: Final = 19
"""Option of a socket that the kernel closes without a packet; needs CAP_NET_ADMIN."""


class Connection(Protocol):
    """The connection of a session. `deadline` is inf while a member is waited for; `settings` are SmtpSettings."""

    settings: Any
    caller: Caller
    deadline: float
    transport: Any

    def expire(self) -> None:
        """Close with a reply that says so."""

    def abort(self, ending: str = "close") -> None:
        """Close at once: with FIN, or as `ending` says (`end_by`)."""


class SmtpSession(Session):
    """The session of one connection; it ends with the connection and those to members."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        settings, client = connection.settings, connection.caller.client
        super().__init__("smtp", settings.name, client.address, client.own_address, settings.session_timeouts)
        self._connection = connection

    def received(self, count: int) -> None:
        """Note bytes of the client."""
        self.bytes_in += count
        self.packets_in += 1
        self.last = self._connection.settings.clock.now
        if self.state < ESTABLISHED:
            self._connection.settings.sessions.moved(self, ESTABLISHED, self.last)

    def sent(self, count: int) -> None:
        """Note bytes to the client."""
        self.bytes_out += count
        self.packets_out += 1
        self.last = self._connection.settings.clock.now

    def alive_at(self, now: float) -> float:
        """Return the last acknowledged probe; `now` while a member is waited for, which has timeouts of its own."""
        connection = self._connection
        if connection.deadline == inf:
            return now
        return now - last_ack(connection.transport) if connection.settings.keep_alive else -inf

    def end(self, reason: str) -> None:
        connection = self._connection
        expiry = connection.settings.expiry
        if reason != "expired":
            connection.abort("close" if expiry != "reset" and reason != "killed" else "reset")
        elif expiry == "close":
            connection.expire()
        else:
            connection.abort(expiry)
        settings = connection.settings
        settings.sessions.closed(
            self, reason, settings.clock.now
        )  # before the loss of the connection says "closed"


def probe(transport: Any, interval: float) -> None:
    """Have the kernel probe a silent peer every `interval` seconds."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        seconds = max(1, int(interval))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds)


def last_ack(transport: Any) -> float:
    """Return the seconds since the peer's kernel acknowledged anything, probes included; inf if that is unknown."""
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return inf
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_ACK + 4)
    return int.from_bytes(info[_LAST_ACK:], sys.byteorder) / 1000


def end_by(transport: Any, ending: str) -> None:
    """Decide what the kernel sends when `transport` is aborted: RST for `reset`, nothing for `silent`, else FIN.

    Without CAP_NET_ADMIN `silent` sends FIN too.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    if ending == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    elif ending == "silent":
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
