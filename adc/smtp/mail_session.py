"""A client connection as the session table knows it."""

from __future__ import annotations

import socket
import struct
from math import inf
from typing import TYPE_CHECKING, Any, Final

from adc.sessions.session import ESTABLISHED, Session

if TYPE_CHECKING:
    from adc.smtp.session_protocol import SessionProtocol

_RESET: Final = struct.pack("ii", 1, 0)


class SmtpSession(Session):
    """The session of one connection; it ends with the connection and those to members."""

    __slots__ = ("_connection",)

    def __init__(self, connection: SessionProtocol) -> None:
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
        """Return `now` while a member is waited for, which has timeouts of its own."""
        return now if self._connection.deadline == inf else -inf

    def end(self, reason: str) -> None:
        connection = self._connection
        if reason == "expired" and connection.settings.expiry == "close":
            connection.expire()
        else:
            connection.abort(reset=reason == "killed" or connection.settings.expiry == "reset")


def reset_on_close(transport: Any) -> None:
    """Have the kernel send RST when `transport` is aborted."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
