"""A flow whose ends are plain sockets: no transport, task or timer of its own."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
import termios
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from adc.http.networks import plain_address
from adc.l4.client_hello import BadHello, HelloReader
from adc.l4.tcp.counters import own_address, own_port, segments
from adc.l4.tcp.end import BROKEN, End
from adc.l4.tcp.flow import TcpFlow, endpoints_of
from adc.l4.tls_alert import DECODE_ERROR, UNRECOGNIZED_NAME, send_alert
from adc.net.connect_failure import failure_of
from adc.net.proxy_protocol import Endpoints, compose
from adc.net.reactor import EDGE, IN, OUT, RDHUP
from adc.net.tcp_options import acknowledged_at, close_by_reset, close_silently, probe_silence
from adc.pools.errors import Failure
from adc.pools.member import Member
from adc.sessions.session import CLOSING, HALF_CLOSED

if TYPE_CHECKING:
    from adc.l4.tcp.service import TcpService

_EVENTS: Final = IN | OUT | RDHUP | EDGE
_KIND: Final = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
_IN_PROGRESS: Final = frozenset({0, errno.EINPROGRESS})

_ALERTED: Final = frozenset({"unrecognized_name", "bad_client_hello"})
"""Reasons for which the client got an alert, which a reset would overtake."""


class RawFlow(TcpFlow):
    """Two ends in the worker's reactor. `first` is what the member gets before the client's further bytes."""

    __slots__ = ("_hello", "_is_read", "client_end", "endpoints", "first", "member_end")

    def __init__(
        self, service: TcpService, sock: socket.SocketType, client: Any, own: Any, peer: str
    ) -> None:
        super().__init__(service, client, own, peer)
        self.client_end = End(self, sock, True)
        self.member_end: End | None = None
        self.endpoints: Endpoints | None = None
        self.first = b""
        self._hello: HelloReader | None = None
        self._is_read = False

    def start(self) -> None:
        """Connect to a member, after the ClientHello if that chooses the pool."""
        service = self.service
        if not self.opened():
            close_by_reset(self.client_end.sock)
            self.client_end.sock.close()
            self.over = True
            return
        if service.keep_alive_client:
            probe_silence(self.client_end.sock, service.keep_alive_client)
        if service.routes is None:
            self.upstream = service.upstream
            self.choose()
            return
        self._hello = HelloReader(service.hello_bytes)
        self.wait_for(service.hello_timeout)
        self._read_client()

    def _read_client(self) -> None:
        """Have the client's end called from now on; its first event follows at once. Refuse the flow if the kernel
        watches no more sockets (fs.epoll.max_user_watches)."""
        self._is_read = True
        try:
            self.service.reactor.add(self.client_end.fd, self.client_end, _EVENTS)
        except OSError:
            self.refuse(Failure.CONNECTION_LIMIT)

    def watch_client(self) -> None:
        if not self._is_read:
            self._read_client()
        elif self._hello is None:
            self.service.reactor.renew(self.client_end.fd, self.client_end, _EVENTS)

    def connect(self, member: Member) -> None:
        upstream = self.upstream
        target = None if upstream is None else upstream.targets.find(member.address)
        if upstream is None or target is None:
            self.attempt_failed(Failure.NO_MEMBER)
        elif target.unknown:
            upstream.targets.wait(member.address, target, partial(self._resolved, member))
        else:
            self._connect(target.address(self._port()))

    def _resolved(self, member: Member) -> None:
        upstream = self.upstream
        if self.over or self.target is not member or upstream is None:
            return
        target = upstream.targets.find(member.address)
        if target is None or target.unknown:
            self.attempt_failed(Failure.DNS_ERROR)
        else:
            self._connect(target.address(self._port()))

    def _port(self) -> int:
        """Return the port to connect to instead of the member's; 0 for that."""
        return own_port(self.client_end.sock) if self.service.follow_port else 0

    def _connect(self, place: tuple[int, Any]) -> None:
        service = self.service
        family, address = place
        sock: socket.SocketType | None = None
        try:
            sock = socket.SocketType(family, _KIND)
            if service.keep_alive_member:
                probe_silence(sock, service.keep_alive_member)
            number = sock.connect_ex(address)
            if number not in _IN_PROGRESS:
                raise OSError(number, "cannot connect")
            end = self.member_end = End(self, sock, False)
            service.reactor.add(end.fd, end, _EVENTS)
        except OSError as error:
            if sock is not None and self.member_end is None:
                sock.close()
            self.attempt_failed(failure_of(error))

    def disconnect(self) -> None:
        end = self.member_end
        if end is not None:
            self.member_end = None
            end.close()

    def not_joined(self, end: End, events: int) -> None:
        """Handle events of an end before both are connected."""
        if end is self.member_end:
            self._connected(end, events)
        elif end is not self.client_end:
            return  # of an attempt that was given up in the same batch of events
        elif self._hello is not None:
            self._read_hello(end, self._hello)
        elif events & BROKEN:
            self._close("client_reset", resets=True)
        elif events & RDHUP and self.leaves(bool(self.first) or _has_bytes(end.sock)):
            self._close("client_closed", resets=False)

    def _connected(self, end: End, events: int) -> None:
        """Join the ends, if the connection to the member stands."""
        if events & BROKEN:
            number = end.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.attempt_failed(failure_of(OSError(number, os.strerror(number))))
            return
        client, upstream, first = self.client_end, self.upstream, self.first
        if upstream is not None and upstream.version:
            first = compose(upstream.version, self.endpoints or endpoints_of(self.client, self.own)) + first
        client.other, end.other = end, client
        self.established()
        self.first = b""
        goes_on = not first or client.pass_on(first)
        if self.over:
            return
        if not self._is_read:
            self._read_client()
        elif goes_on:
            client.pump(True)
        if events & (IN | RDHUP) and not self.over:  # this edge does not come again
            end.pump(events & RDHUP != 0)

    def _read_hello(self, end: End, reader: HelloReader) -> None:
        """Read until the ClientHello is complete, then choose the pool by it."""
        hello = None
        while hello is None:
            try:
                data = end.sock.recv(4096)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.refuse_hello("hello_incomplete", "the client closed before its ClientHello was complete")
                return
            try:
                hello = reader.feed(data)
            except BadHello as error:
                self._refuse_hello(end, "bad_client_hello", str(error), DECODE_ERROR if error.is_tls else b"")
                return
        self._hello = None
        end.count(len(reader.data))
        service = self.service
        service.connecting.remove(self)
        self.facts.client.sni = hello.server_name
        routes = service.routes
        self.upstream = None if routes is None else routes.find(hello)
        if self.upstream is None:
            name = hello.server_name or "(none)"
            self._refuse_hello(end, "unrecognized_name", f"no pool for server name {name}", UNRECOGNIZED_NAME)
            return
        self.first = bytes(reader.data)
        self.choose()

    def _refuse_hello(self, end: End, reason: str, detail: str, alert: bytes) -> None:
        """Refuse by a TLS alert."""
        if alert:
            send_alert(end.sock, alert)
        self.refuse_hello(reason, detail)

    def half_closed(self) -> None:
        """Note that one end has closed its half."""
        self.service.table.moved(self, HALF_CLOSED, self.service.clock.now)

    def complete(self) -> None:
        """End the flow: both ends have closed their halves, and all bytes have been passed on."""
        self.state = CLOSING
        self._close("closed", resets=False)

    def broken(self, end: End) -> None:
        """Reset the other end of one that was reset, unless it still has bytes to read."""
        other = end.other
        end.ended = True
        if end.is_client or other is None:
            self._close("client_reset", resets=True)
            return
        failure = None if self.bytes_out else Failure.RESET
        self._close("member_reset", resets=not _undelivered(other.sock), failure=failure)

    def write_failed(self, end: End) -> None:
        """Pass on what the end that `end` sends to has sent before it was reset, then end the flow."""
        other = end.other
        end.ended, end.is_shut, end.blocked, end.pending = True, True, False, None
        end.release_pipe()
        if other is None or other.blocked:
            return
        if other.ended:  # it closed its half, and was reset before the rest reached it
            self.broken(other)
        else:
            other.pump(True)

    def end(self, reason: str) -> None:
        expiry = self.service.expiry if reason == "expired" else "reset"
        if expiry == "silent":
            for end in (self.client_end, self.member_end):
                if end is not None:
                    close_silently(end.sock)
        self._close(reason, resets=expiry == "reset" and reason not in _ALERTED)

    def _close(self, reason: str, *, resets: bool, failure: Failure | None = None) -> None:
        """Close both ends, by RST if `resets`."""
        if self.over:
            return
        self.refresh(self.last)
        client, member = self.client_end, self.member_end
        for end in (client, member):
            if end is not None:
                if resets:
                    close_by_reset(end.sock)
                end.close()
        if failure is None:
            self.closed(reason)
        else:
            self.closed(reason, failure)

    def refresh(self, now: float) -> None:
        if self.over:
            return  # the sockets are closed
        sock = self.client_end.sock
        try:
            if self.own is None:
                self.own = own_address(sock)
            self.packets_in, self.packets_out = segments(sock)
        except (OSError, struct.error):  # closed, or a unix socket
            return

    def alive_at(self, now: float) -> float:
        """Return when either end last acknowledged a keep-alive probe, or anything else."""
        service = self.service
        found = self.last
        if service.keep_alive_client:
            found = max(found, acknowledged_at(self.client_end.sock, now))
        if service.keep_alive_member and self.member_end is not None:
            found = max(found, acknowledged_at(self.member_end.sock, now))
        return found


def begin(
    service: TcpService, sock: socket.SocketType, address: Any, endpoints: Endpoints | None, own: Any
) -> None:
    """Begin the flow of an accepted connection to `own`, if that is known; a PROXY protocol header has named
    `endpoints`."""
    if endpoints is not None:
        address, own = endpoints
    elif isinstance(address, tuple):
        if len(address) > 2:
            address = (plain_address(address[0]), address[1])
        if service.names_both and own is None:
            own = sock.getsockname()
    peer = address[0] if isinstance(address, tuple) else "unix"
    flow = RawFlow(service, sock, address, own, peer)
    flow.endpoints = endpoints
    flow.start()


def _has_bytes(sock: socket.SocketType) -> bool:
    """True if the peer has sent bytes that were not read yet."""
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except OSError:
        return False


def _undelivered(sock: socket.SocketType) -> bool:
    """True if the peer's kernel has not acknowledged all that was sent."""
    try:
        waiting = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:
        return False
    return waiting != bytes(4)
