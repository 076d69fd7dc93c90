"""The listening sockets of UDP: datagrams in, in bounded batches, and replies from the address that the client used."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any, Final

from adc.l4.udp.session import DATAGRAM, Home, Relay, UdpSession

BATCH: Final = 64
"""Datagrams read in one loop iteration; others have their turn then.

One `recvmmsg` for all of them, called by ctypes, took 1.0 us for each datagram where `recvfrom` took 0.7: lengths and
addresses have to be unpacked in Python (CPython 3.11, datagrams of 32 and 1200 bytes, median of 300 batches).
"""

OPENS: Final = 16
"""Datagrams of a batch that may open a session, which takes ten times as long as passing one on."""

_IP_PKTINFO: Final = 8
_ANCILLARY: Final = 64
_PKTINFO4: Final = struct.Struct("=I4s4s")
_PKTINFO6: Final = struct.Struct("=16sI")
_LINK_LOCAL: Final = b"\xfe\x80"

_monotonic: Final = time.monotonic


class ClientSocket(Home):
    """A socket bound to one address. `sessions` are those to which the next datagrams belong, by client address.

    The socket is this object's, which closes it when it is neither read nor needed for replies.
    """

    def __init__(self, sock: socket.socket, relay: Relay) -> None:
        sock.setblocking(False)  # a copy of a socket that another process passed on blocks
        self.sock = sock
        self.relay = relay
        self.sessions: dict[Any, UdpSession] = {}
        self._superseded: set[UdpSession] = set()
        self.reading = True
        self._own = sock.getsockname()

    def ready(self, events: int) -> None:
        """Read a batch of datagrams."""
        now = _monotonic()
        relay = self.relay
        receive = self.sock.recvfrom
        sessions = self.sessions
        opens = OPENS
        for _ in range(BATCH):
            try:
                data, client = receive(DATAGRAM)
            except OSError:  # BlockingIOError at the end; others belong to a datagram that was sent
                return
            relay.datagrams_in += 1
            if relay.rate is not None and not relay.admits(client, now):
                continue
            session = sessions.get(client)
            if session is None or not session.takes(now):
                relay.arrive(self, client, client, self._own, data, now)
                opens -= 1
                if not opens:
                    return
            else:
                session.path = self
                session.forward(data, now)

    def reply(self, session: UdpSession, data: bytes) -> None:
        self.sock.sendto(data, session.client)

    def answers_from(self, own: Any) -> bool:
        """True if replies through this socket come from `own`."""
        return bool(own[:2] == self._own[:2])

    def send(self, data: bytes, client: Any, own: Any) -> None:
        """Send `data` to `client` from `own`. Raises OSError."""
        self.sock.sendto(data, client)

    def key_of(self, session: UdpSession) -> Any:
        """Return the key of a session in `sessions`."""
        return session.client

    def enter(self, key: Any, session: UdpSession) -> None:
        before = self.sessions.get(key)
        if before is not None:
            self._superseded.add(before)
        self.sessions[key] = session

    def leave(self, session: UdpSession) -> None:
        key = self.key_of(session)
        if self.sessions.get(key) is session:
            del self.sessions[key]
        else:
            self._superseded.discard(session)
        self._close_if_unused()

    def shut(self) -> None:
        """Read no more; sessions go on."""
        self.reading = False
        self._close_if_unused()

    @property
    def unused(self) -> bool:
        """True if the socket is neither read nor needed for replies."""
        return not self.reading and not self.sessions and not self._superseded

    def _close_if_unused(self) -> None:
        if self.unused:
            self.sock.close()

    def all_sessions(self) -> list[UdpSession]:
        """Return the sessions whose replies go through this socket."""
        return [*self.sessions.values(), *self._superseded]

    def end_all(self, reason: str) -> None:
        """End all sessions."""
        now = _monotonic()
        for session in self.all_sessions():
            self.relay.close(session, reason, now)


class WildcardSocket(ClientSocket):
    """A socket bound to all addresses: each datagram tells the address that it was sent to."""

    def __init__(self, sock: socket.socket, relay: Relay) -> None:
        super().__init__(sock, relay)
        self._is_v6 = sock.family == socket.AF_INET6
        self._level: int = socket.IPPROTO_IPV6 if self._is_v6 else socket.IPPROTO_IP
        self._type: int = socket.IPV6_PKTINFO if self._is_v6 else _IP_PKTINFO
        self._port: int = self._own[1]
        self._answers: dict[Any, bytes] = {}

    def ready(self, events: int) -> None:
        now = _monotonic()
        relay = self.relay
        opens = OPENS
        for _ in range(BATCH):
            try:
                data, ancillary, flags, client = self.sock.recvmsg(DATAGRAM, _ANCILLARY)
            except OSError:
                return
            relay.datagrams_in += 1
            if relay.rate is not None and not relay.admits(client, now):
                continue
            if flags & socket.MSG_TRUNC:
                relay.dropped("truncated")
                continue
            own = self._own_of(ancillary)
            key = (client, own)
            session = self.sessions.get(key)
            if session is None or not session.takes(now):
                relay.arrive(self, key, client, own, data, now)
                opens -= 1
                if not opens:
                    return
            else:
                session.path = self
                session.forward(data, now)

    def _own_of(self, ancillary: list[tuple[int, int, bytes]]) -> Any:
        """Return the address that a datagram was sent to, as the socket would have it if it were bound to it."""
        for level, kind, packed in ancillary:
            if level != self._level or kind != self._type:
                continue
            if self._is_v6:
                address, interface = _PKTINFO6.unpack_from(packed)
                scope = interface if address.startswith(_LINK_LOCAL) else 0
                return (socket.inet_ntop(socket.AF_INET6, address), self._port, 0, scope)
            return (socket.inet_ntoa(_PKTINFO4.unpack_from(packed)[1]), self._port)
        return self._own

    def reply(self, session: UdpSession, data: bytes) -> None:
        self.send(data, session.client, session.own)

    def answers_from(self, own: Any) -> bool:
        return bool(own[1] == self._port and (len(own) == 4) == self._is_v6)

    def send(self, data: bytes, client: Any, own: Any) -> None:
        self.sock.sendmsg((data,), ((self._level, self._type, self._pktinfo(own)),), 0, client)

    def _pktinfo(self, own: Any) -> bytes:
        """Return the control message that makes `own` the source address."""
        found = self._answers.get(own)
        if found is None:
            if self._is_v6:
                found = _PKTINFO6.pack(socket.inet_pton(socket.AF_INET6, own[0]), own[3])
            else:
                found = _PKTINFO4.pack(0, socket.inet_aton(own[0]), b"\0\0\0\0")
            if len(self._answers) >= 256:
                self._answers.clear()
            self._answers[own] = found
        return found

    def key_of(self, session: UdpSession) -> Any:
        return (session.client, session.own)


def client_socket_for(sock: socket.socket, relay: Relay) -> ClientSocket:
    """Return the object that reads a bound socket, and owns it."""
    kind = WildcardSocket if sock.getsockname()[0] in ("0.0.0.0", "::") else ClientSocket
    return kind(sock, relay)
