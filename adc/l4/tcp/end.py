"""One end of a plain TCP flow: a socket, and the bytes on their way from it to the other end."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Final, Protocol

from adc.net.reactor import IN, OUT, RDHUP

if TYPE_CHECKING:
    from adc.l4.tcp.pipes import Pipe
    from adc.l4.tcp.service import TcpService

PIPES_FULL: Final = 2
"""Pipes full that are spliced in one turn: about a millisecond."""

_SPLICED: Final = 1 << 20
_FLAGS: Final = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
BROKEN: Final = 0x008 | 0x010
"""EPOLLERR and EPOLLHUP."""

_TCP: Final = socket.IPPROTO_TCP
_NODELAY: Final = socket.TCP_NODELAY
_SHUT_WR: Final = socket.SHUT_WR

_READABLE: Final = IN | RDHUP | BROKEN
_ENDING: Final = RDHUP | BROKEN


class EndedFlow(Protocol):
    """The flow of an end, as the end uses it."""

    service: TcpService
    over: bool
    last: float
    bytes_in: int
    bytes_out: int

    def not_joined(self, end: End, events: int) -> None:
        """Handle events of an end before both are connected."""

    def broken(self, end: End) -> None:
        """Handle the reset of `end`."""

    def write_failed(self, end: End) -> None:
        """Handle the reset of the end that `end` sends to."""

    def half_closed(self) -> None:
        """Note that one end has closed its half."""

    def complete(self) -> None:
        """End the flow, whose ends have both closed their halves."""

    def end(self, reason: str) -> None:
        """End the flow at both ends."""


class End:
    """A socket of a flow. `other` is the end that its bytes go to.

    `pending` are bytes read from here that `other` has not taken, as are those in `pipe`; while there are any
    (`blocked`), no more are read, so that a flow never holds more than one read or one pipe in each direction.
    `ended`: this end has closed its half; `is_shut`: its half of `other` was closed after the last byte. An end whose
    bytes are spliced reads in turns (`waits` for its next one), so that flows of few bytes never wait for many.
    """

    __slots__ = (
        "blocked",
        "ended",
        "fd",
        "flow",
        "is_client",
        "is_shut",
        "moved",
        "other",
        "pending",
        "pipe",
        "sent",
        "sock",
        "waits",
    )

    def __init__(self, flow: EndedFlow, sock: socket.SocketType, is_client: bool) -> None:
        self.flow = flow
        self.sock = sock
        self.fd: int = sock.fileno()
        self.is_client = is_client
        self.other: End | None = None
        self.pending: memoryview | None = None
        self.pipe: Pipe | None = None
        self.moved: int = 0
        self.blocked = False
        self.ended = False
        self.is_shut = False
        self.sent: int = 0
        self.waits = False

    def ready(self, events: int) -> None:
        """Read what is there and pass it on; pass on what waited for this end."""
        flow = self.flow
        other = self.other
        if flow.over:
            return
        if other is None:
            flow.not_joined(self, events)
            return
        flow.last = flow.service.clock.now
        if events & OUT and other.blocked:
            other.resume()
            if flow.over:
                return
        if events & _READABLE and not self.blocked and not self.ended:
            self.pump(events & _ENDING != 0)

    def wait_for_turn(self) -> None:
        """Read in a later loop iteration."""
        if not self.waits:
            self.waits = True
            self.flow.service.reactor.again(self.fd, self, self.turn)

    def turn(self) -> None:
        """Splice what can be read, or copy it for want of a pipe."""
        self.waits = False
        flow = self.flow
        if flow.over or self.blocked or self.ended:
            return
        flow.last = flow.service.clock.now
        if self.moved >= flow.service.splice_after:
            self.splice()
        else:
            self.pump(True)

    def pump(self, ending: bool) -> None:
        """Copy what can be read now, until its bytes are spliced; `ending` if the end of the stream may follow them."""
        recv = self.sock.recv
        service = self.flow.service
        limit, most = service.splice_after, service.read_bytes
        while self.moved < limit:
            try:
                data = recv(most)
            except BlockingIOError:
                return
            except OSError:
                self.flow.broken(self)
                return
            count = len(data)
            if not count:
                self.end_of_stream()
                return
            self.count(count)
            if not self.pass_on(data):
                return
            if count < most and not ending:
                return  # a short read has emptied the socket: the next byte is another edge
        self.wait_for_turn()

    def count(self, count: int) -> None:
        """Count bytes that were read here."""
        self.moved += count
        flow = self.flow
        if self.is_client:
            flow.bytes_in += count
        else:
            flow.bytes_out += count

    def pass_on(self, data: bytes) -> bool:
        """Send bytes to the other end; True if it took all, and the flow goes on."""
        other = self.other
        flow = self.flow
        if other is None:
            return False
        if flow.bytes_in + flow.bytes_out > flow.service.flow_bytes:
            flow.end("byte_limit")
            return False
        if other.sent < 2:
            other.begin_to_send()
        try:
            sent = other.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            flow.write_failed(self)
            return False
        if sent < len(data):
            self.pending = memoryview(data)[sent:]
            self.blocked = True
            return False
        return True

    def begin_to_send(self) -> None:
        """Set TCP_NODELAY at the second write: the first is never delayed, and many flows have no second."""
        self.sent += 1
        if self.sent == 2:
            try:
                self.sock.setsockopt(_TCP, _NODELAY, 1)
            except OSError:  # a unix socket
                return

    def resume(self) -> None:
        """Pass on what waited, then read on: edges were missed meanwhile."""
        if self.pipe is not None:
            if not self.drain_pipe():
                return
        else:
            pending = self.pending
            self.pending = None
            self.blocked = False
            if pending is not None and not self.pass_on_rest(pending):
                return
        if self.ended:
            self.close_half()
        else:
            self.pump(True)

    def pass_on_rest(self, pending: memoryview) -> bool:
        """Send bytes that waited; True if the other end took all, and the flow goes on."""
        other = self.other
        if other is None:
            return False
        try:
            sent = other.sock.send(pending)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.flow.write_failed(self)
            return False
        if sent < len(pending):
            self.pending = pending[sent:]
            self.blocked = True
            return False
        return True

    def splice(self) -> None:
        """Splice what can be read now, up to PIPES_FULL."""
        flow = self.flow
        pool = flow.service.pipes
        pipe = self.pipe = pool.take()
        if pipe is None:
            self.moved = 0  # copy the next bytes
            self.wait_for_turn()
            return
        before = self.moved
        for _ in range(PIPES_FULL):
            try:
                count = os.splice(self.fd, pipe.writer, _SPLICED, flags=_FLAGS)
            except BlockingIOError:
                self.release_pipe()
                if self.moved - before < flow.service.read_bytes:
                    self.moved = 0  # few bytes at a time: copy the next ones
                return
            except OSError:
                self.release_pipe()
                flow.broken(self)
                return
            if not count:
                self.release_pipe()
                self.end_of_stream()
                return
            pipe.count += count
            self.count(count)
            if flow.bytes_in + flow.bytes_out > flow.service.flow_bytes:
                flow.end("byte_limit")
                return
            if not self.drain_pipe():
                return
        self.release_pipe()
        self.wait_for_turn()

    def drain_pipe(self) -> bool:
        """Move the bytes in the pipe to the other end; True if none are left, and the flow goes on."""
        pipe, other = self.pipe, self.other
        if pipe is None or other is None:
            return False
        while pipe.count:
            try:
                pipe.count -= os.splice(pipe.reader, other.fd, pipe.count, flags=_FLAGS)
            except BlockingIOError:
                self.blocked = True
                return False
            except OSError:
                self.flow.write_failed(self)
                return False
        if self.blocked:
            self.blocked = False
            self.release_pipe()
        return True

    def release_pipe(self) -> None:
        """Return the pipe to the pool."""
        pipe = self.pipe
        if pipe is not None:
            self.pipe = None
            self.flow.service.pipes.give_back(pipe)

    def end_of_stream(self) -> None:
        """Note that this end has closed its half."""
        self.ended = True
        if not self.blocked:
            self.close_half()

    def close_half(self) -> None:
        """Close the half of the other end that this end's bytes went to; end the flow after the second."""
        other, flow = self.other, self.flow
        self.is_shut = True
        if other is None or other.is_shut:
            flow.complete()
            return
        try:
            other.sock.shutdown(_SHUT_WR)
        except OSError:
            pass  # reset: an event tells
        flow.half_closed()

    def close(self) -> None:
        """Close the socket; what is unsent goes on unless the socket was set to reset."""
        self.flow.service.reactor.closing(self.fd)
        self.release_pipe()
        self.pending = None
        self.sock.close()
