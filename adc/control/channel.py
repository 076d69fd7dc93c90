"""Messages between the supervisor and a worker over a stream socket pair, open sockets passed along."""

from __future__ import annotations

import array
import asyncio
import os
import pickle
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence

from adc.telemetry.event_log import EventLog

log = EventLog(__name__)

HEADER = struct.Struct("!II")
"""Length of the pickled body in bytes, number of descriptors that came along."""

MAX_MESSAGE = 64 * 1024 * 1024
MAX_UNSENT = 2 * MAX_MESSAGE
FDS_PER_BYTE = 200
"""Descriptors that travel with one byte; the kernel allows 253 in one sendmsg (SCM_MAX_FD)."""

MAX_FDS = FDS_PER_BYTE * HEADER.size
READ_SIZE = 256 * 1024
ANCILLARY_SIZE = socket.CMSG_SPACE(253 * array.array("i").itemsize)


class ChannelClosed(ConnectionError):
    """The other process has gone, or broke the framing."""


class Channel:
    """Whole messages over one end of `socket.socketpair()`.

    Both ends belong to this program, one started by the other, so a body may be any picklable value.
    `on_message(message, sockets)` is called once per message in order, `on_closed()` once at the end.
    """

    def __init__(
        self,
        sock: socket.socket,
        on_message: Callable[[object, list[socket.socket]], None],
        on_closed: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._on_message = on_message
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._received_fds: deque[int] = deque()
        self._unsent: deque[tuple[memoryview, list[int]]] = deque()
        self.unsent = 0  # bytes that the other end has not taken yet
        self.closed = False
        self._loop.add_reader(sock.fileno(), self._readable)

    def send(self, message: object, sockets: Sequence[socket.socket] = ()) -> None:
        """Queue one message; `sockets` are duplicated for the receiver, so the caller may close its own.

        Raises ChannelClosed if the other end has gone or does not read, ValueError for a message too large.
        """
        if self.closed:
            raise ChannelClosed("the channel is closed")
        body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        if len(body) > MAX_MESSAGE:
            raise ValueError(f"a message of {len(body)} bytes is over the limit of {MAX_MESSAGE}")
        if len(sockets) > MAX_FDS:
            raise ValueError(f"{len(sockets)} sockets in one message, at most {MAX_FDS} can be passed")
        if self.unsent > MAX_UNSENT:
            self.close()
            raise ChannelClosed("the other process does not read")
        for piece in _pieces(HEADER.pack(len(body), len(sockets)) + body, sockets):
            self._unsent.append(piece)
        self.unsent += len(body)
        self._flush()

    def close(self) -> None:
        """Close this end at once; what is still queued is lost."""
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        self._sock.close()
        for _, fds in self._unsent:
            _close_all(fds)
        self._unsent.clear()
        _close_all(self._received_fds)
        self._on_closed()

    def _flush(self) -> None:
        while self._unsent:
            data, fds = self._unsent[0]
            try:
                sent = socket.send_fds(self._sock, [data], fds) if fds else self._sock.send(data)
            except BlockingIOError:
                self._loop.add_writer(self._sock.fileno(), self._flush)
                return
            except OSError:
                self.close()
                return
            self.unsent = max(0, self.unsent - sent)
            _close_all(fds)
            if sent < len(data):
                self._unsent[0] = (data[sent:], [])
            else:
                self._unsent.popleft()
        self._loop.remove_writer(self._sock.fileno())

    def _readable(self) -> None:
        try:
            data, ancillary, _, _ = self._sock.recvmsg(READ_SIZE, ANCILLARY_SIZE, socket.MSG_CMSG_CLOEXEC)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data, ancillary = b"", []
        for level, kind, packed in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers = array.array("i")
                numbers.frombytes(packed[: len(packed) - len(packed) % numbers.itemsize])
                self._received_fds.extend(numbers)
        if not data:
            self.close()
            return
        self._received += data
        self._deliver()

    def _deliver(self) -> None:
        while not self.closed and len(self._received) >= HEADER.size:
            length, fd_count = HEADER.unpack_from(self._received)
            if length > MAX_MESSAGE or fd_count > MAX_FDS:
                log.error("channel_broken", bytes=length, sockets=fd_count)
                self.close()
                return
            end = HEADER.size + length
            if len(self._received) < end or len(self._received_fds) < fd_count:
                return
            message = pickle.loads(memoryview(self._received)[HEADER.size : end])
            del self._received[:end]
            sockets = [socket.socket(fileno=self._received_fds.popleft()) for _ in range(fd_count)]
            self._on_message(message, sockets)


def _pieces(frame: bytes, sockets: Sequence[socket.socket]) -> list[tuple[memoryview, list[int]]]:
    """Split a frame so that each batch of descriptors travels with a separate header byte."""
    view = memoryview(frame)
    fds = [os.dup(sock.fileno()) for sock in sockets]
    batches = [fds[start : start + FDS_PER_BYTE] for start in range(0, len(fds), FDS_PER_BYTE)]
    pieces = [(view[index : index + 1], batch) for index, batch in enumerate(batches)]
    return [*pieces, (view[len(batches) :], [])]


def _close_all(fds: list[int] | deque[int]) -> None:
    while fds:
        os.close(fds.pop())
