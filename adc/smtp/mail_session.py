"""A client connection as the session table knows it."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from adc.net.tcp_options import acknowledged_at
from adc.sessions.session import ESTABLISHED, Session

if TYPE_CHECKING:
    from adc.smtp.caller import Caller


class Connection(Protocol):
    """The connection of a session. `deadline` is inf while a member is waited for; `settings` are SmtpSettings."""

    settings: Any
    caller: Caller
    deadline: float
    transport: Any

    def expire(self) -> None:
        """Close with a reply that says so."""

    def abort(self, ending: str = "close") -> None:
        """Close at once: with FIN, or as `ending` says (`close_as`)."""


class SmtpSession(Session):
    """The session of one connection; it ends with the connection and those to members."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        settings, client = connection.settings, connection.caller.client
        super().__init__("smtp", settings.name, client.address, client.own_address, settings.session_timeouts)
        self._connection = connection

    def received(self, count: int) -> None:
        """Count bytes from the client."""
        self.bytes_in += count
        self.packets_in += 1
        self.last = self._connection.settings.clock.now
        if self.state < ESTABLISHED:
            self._connection.settings.sessions.moved(self, ESTABLISHED, self.last)

    def sent(self, count: int) -> None:
        """Count bytes to the client."""
        self.bytes_out += count
        self.packets_out += 1
        self.last = self._connection.settings.clock.now

    def alive_at(self, now: float) -> float:
        """Return the last acknowledged probe; `now` while a member is waited for, which has timeouts of its own."""
        connection = self._connection
        if connection.deadline == inf:
            return now
        if not connection.settings.keep_alive:
            return -inf
        return acknowledged_at(connection.transport.get_extra_info("socket"), now)

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
