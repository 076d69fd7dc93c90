"""`python -m benchmarks.members bytes|datagrams|mail PORT`: members of the L4 rows, cheaper than any proxy.

`bytes` reads one line of a connection: `down` (sends until the client closes), `up` (discards, and says how many bytes
came when the client has ended its half), `echo` (returns what comes). Any other line gets an HTTP response.
`datagrams` returns each datagram, up to 64 in two system calls. `mail` is `mail_member.py`.
"""

from __future__ import annotations

import ctypes
import os
import random
import selectors
import socket
import sys
from contextlib import suppress

from benchmarks import mail_member

BLOCK = 1 << 20
FILE_BYTES = 64 * BLOCK
BATCH = 64
LARGEST = 2048
_MAX_LINE = 4096
_RESPONSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def random_file() -> int:
    """Return a descriptor of `FILE_BYTES` random bytes in memory."""
    descriptor = os.memfd_create("random")
    for _ in range(FILE_BYTES // BLOCK):
        os.write(descriptor, random.randbytes(BLOCK))
    return descriptor


class Source:
    """Sends random bytes from the kernel's own pages, each connection from its own place on."""

    def __init__(self, connection: socket.socket, file: int) -> None:
        self._connection = connection
        self._file = file
        self._offset = random.randrange(FILE_BYTES - BLOCK)

    def send(self) -> int:
        """Send what the socket takes now and return the number of bytes. Raises OSError if the peer is gone."""
        count = 0
        with suppress(BlockingIOError):
            while sent := os.sendfile(self._connection.fileno(), self._file, self._offset, BLOCK):
                count += sent
                self._offset = (self._offset + sent) % (FILE_BYTES - BLOCK)
                if sent < BLOCK:
                    break
        return count


class Drain:
    """Counts received bytes that the kernel discards without copying them."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray(BLOCK)

    def receive(self) -> int | None:
        """Discard up to one block and return its size, 0 if there is none; None at the end of the stream."""
        try:
            return self._connection.recv_into(self._buffer, BLOCK, socket.MSG_TRUNC) or None
        except BlockingIOError:
            return 0


class ByteMember:
    """Serves `down`, `up` and `echo` on one thread."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._file = random_file()

    @classmethod
    def run(cls, port: int) -> None:
        """Serve on 127.0.0.1:`port` until the process ends."""
        cls(port).serve()

    def serve(self) -> None:
        """Serve until the process ends."""
        while True:
            for key, _ in self._selector.select():
                try:
                    key.data()
                except OSError:
                    self._close(key.fileobj)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._begin(connection))

    def _begin(self, connection: socket.socket) -> None:
        line = connection.recv(_MAX_LINE, socket.MSG_PEEK).partition(b"\n")[0]
        connection.recv(len(line) + 1)
        if line == b"down":
            source = Source(connection, self._file)
            self._selector.modify(connection, selectors.EVENT_WRITE, source.send)
        elif line == b"up":
            drain, counts = Drain(connection), [0]
            self._selector.modify(
                connection, selectors.EVENT_READ, lambda: self._discard(connection, drain, counts)
            )
        elif line == b"echo":
            self._selector.unregister(connection)
            _echo(connection)
        else:
            with suppress(OSError):
                connection.send(_RESPONSE if line else b"")
            self._close(connection)

    def _discard(self, connection: socket.socket, drain: Drain, counts: list[int]) -> None:
        received = drain.receive()
        counts[0] += received or 0
        if received is None:
            connection.send(b"%d\n" % counts[0])
            self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        with suppress(KeyError):
            self._selector.unregister(connection)
        connection.close()


def _echo(connection: socket.socket) -> None:
    """Return everything until the client ends its half, then end the other."""
    with connection:
        connection.settimeout(10)
        while data := connection.recv(BLOCK):
            connection.sendall(data)


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Head(ctypes.Structure):
    _fields_ = (
        *(("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("vectors", ctypes.POINTER(_Vector))),
        *(
            ("vector_count", ctypes.c_size_t),
            ("control", ctypes.c_void_p),
            ("control_length", ctypes.c_size_t),
        ),
        *(("flags", ctypes.c_int), ("padding", ctypes.c_int), ("received", ctypes.c_uint)),
    )


_ADDRESS = 16
_WAIT_FOR_ONE = 0x10000


def return_datagrams(port: int) -> None:
    """Return each datagram of 127.0.0.1:`port` to its sender until the process ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * BLOCK)
    opened.bind(("127.0.0.1", port))
    content = ctypes.create_string_buffer(BATCH * LARGEST)
    names = ctypes.create_string_buffer(BATCH * _ADDRESS)
    vectors = (_Vector * BATCH)()
    heads = (_Head * BATCH)()
    for number in range(BATCH):
        vectors[number].base = ctypes.addressof(content) + number * LARGEST
        heads[number].name = ctypes.addressof(names) + number * _ADDRESS
        heads[number].vectors = ctypes.pointer(vectors[number])
        heads[number].vector_count = 1
    while True:
        for number in range(BATCH):
            vectors[number].length = LARGEST
            heads[number].name_length = _ADDRESS
        count = libc.recvmmsg(opened.fileno(), heads, BATCH, _WAIT_FOR_ONE, None)
        for number in range(count):
            vectors[number].length = heads[number].received
        if count > 0:
            libc.sendmmsg(opened.fileno(), heads, count, 0)


if __name__ == "__main__":
    kind, port = sys.argv[1], int(sys.argv[2])
    {"bytes": ByteMember.run, "datagrams": return_datagrams, "mail": mail_member.serve}[kind](port)
