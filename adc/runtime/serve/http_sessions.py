"""Connections of HTTP listeners in the session table, with `sessions: {http: true}`."""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection
from typing import Any, Final

from adc.codecs.http1.server import ServerConnection
from adc.config.model.listeners import Listener
from adc.net.clock import Clock
from adc.net.listener_state import Observer, OpenConnection
from adc.runtime.serve.sessions import WorkerSessions
from adc.sessions.session import ESTABLISHED, Session, Timeouts

_INFO: Final = struct.Struct("=44xI4xI64xQQII")
"""From struct tcp_info of linux/tcp.h: last_data_sent and last_data_recv (ms), bytes_acked, bytes_received, segs_out,
segs_in."""


class HttpSession(Session):
    """A connection; the kernel keeps its counters. Timeouts of the listener end it, never the table."""

    __slots__ = ("_connection", "_socket", "reason")

    def __init__(self, connection: ServerConnection, listener: str, timeouts: Timeouts) -> None:
        client = connection.client
        super().__init__("http", listener, client.address, client.own_address, timeouts)
        self.state = ESTABLISHED
        self.reason = "closed"
        self._connection = connection
        self._socket: Any = connection.socket

    def refresh(self, now: float) -> None:
        try:
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
            sent, received, acked, bytes_in, segments_out, segments_in = _INFO.unpack(info)
        except (OSError, struct.error):  # closed, a unix socket, or an old kernel
            return
        self.bytes_in, self.bytes_out = bytes_in, acked
        self.packets_in, self.packets_out = segments_in, segments_out
        self.last = max(self.created, now - min(sent, received) / 1000)

    def alive_at(self, now: float) -> float:
        return now

    def end(self, reason: str) -> None:
        self.reason = reason
        self._connection.abort()


class HttpSessions:
    """The connections of one listener that are in the table."""

    def __init__(self, name: str, sessions: WorkerSessions, clock: Clock) -> None:
        self._name = name
        self._sessions = sessions
        self._clock = clock
        self._open: dict[OpenConnection, HttpSession] = {}
        self._timeouts = Timeouts(0.0, 0.0, 0.0)

    def follow(self, settings: Listener, connections: Collection[OpenConnection]) -> Observer | None:
        """Return what observes `connections` and those that open from now on; None if the table has no use for them."""
        if not self._sessions.http:
            for connection in list(self._open):
                self.closed(connection)
            return None
        self._timeouts = self._sessions.timeouts(settings)
        for connection in connections:
            if connection not in self._open:
                self.opened(connection)
        return self

    def opened(self, connection: OpenConnection) -> None:
        if isinstance(connection, ServerConnection):
            session = self._open[connection] = HttpSession(connection, self._name, self._timeouts)
            self._sessions.table.open(session, self._clock.now)

    def closed(self, connection: OpenConnection) -> None:
        session = self._open.pop(connection, None)
        if session is not None:
            self._sessions.table.closed(session, session.reason, self._clock.now)
