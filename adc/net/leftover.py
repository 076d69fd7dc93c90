"""Bytes that a peer sent before it closed, read from the socket after a write has failed.

A server may answer a request before it has read all of it and close. The kernel then resets the connection behind
the response. A loop that writes before it reads learns of the reset first and closes the socket with the response
in it; `connection_lost` is the last moment at which it can be read.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import termios
from typing import Any, Final

_READ_BYTES: Final = 64 << 10
_MOST_BYTES: Final = 16 << 20
"""More than the kernel buffers for a socket without a reader."""


def read_leftover(transport: Any) -> list[bytes]:
    """Return what lies in the socket of `transport`, which the loop does not read any more and has not closed yet."""
    sock = transport.get_extra_info("socket")
    number = -1 if sock is None else sock.fileno()  # -1 once the loop has closed it
    found: list[bytes] = []
    count = 0
    while number >= 0 and count < _MOST_BYTES:
        try:
            data = os.read(number, _READ_BYTES)
        except OSError:  # nothing is left, or the reset
            break
        if not data:
            break
        found.append(data)
        count += len(data)
    return found


def undelivered(transport: Any) -> bool:
    """Return True if the peer's kernel has not taken all that was written to the socket of `transport`."""
    sock = transport.get_extra_info("socket")
    number = -1 if sock is None else sock.fileno()
    if number < 0:
        return False
    try:
        waiting = fcntl.ioctl(number, termios.TIOCOUTQ, bytes(4))
    except OSError:
        return False
    return waiting != bytes(4)


class LeftoverReader(asyncio.BufferedProtocol):
    """Stands between a transport and `inner`, the protocol that decrypts what it reads, and gives that what is left
    in the socket when the connection breaks. Reads in between go to `inner` directly.
    """

    def __init__(self, transport: Any, inner: Any) -> None:
        self._transport = transport
        self._inner = inner
        for name in ("get_buffer", "buffer_updated", "eof_received", "pause_writing", "resume_writing"):
            setattr(self, name, getattr(inner, name))

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            for data in read_leftover(self._transport):
                self._give(data)
        self._inner.connection_lost(exc)

    def _give(self, data: bytes) -> None:
        while data:
            buffer = self._inner.get_buffer(len(data))
            count = min(len(data), len(buffer))
            buffer[:count] = data[:count]
            self._inner.buffer_updated(count)
            data = data[count:]
