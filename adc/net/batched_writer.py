"""The writing end of a connection."""

from __future__ import annotations

import fcntl
import os
import sys
import termios
from typing import Any, Final

from adc.net.batch import HOLD_BYTES, Batch, BatchedOutput
from adc.net.leftover import read_leftover, undelivered

_NO_INPUT: Final = bytes(4)


class BatchedWriter(BatchedOutput):
    """A transport whose small writes wait for the end of the loop iteration (`Batch`). All other operations come after
    them.
    """

    __slots__ = ("_batch", "_buffered", "_lost", "_transport")

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._buffered = b""
        self._lost = False
        self._transport: Any = None

    def opened(self, transport: Any) -> None:
        """Called when the connection is open."""
        self._transport = transport

    @property
    def made(self) -> bool:
        """True if the connection has ever been open."""
        return self._transport is not None

    def lost(self) -> None:
        """Drop what is buffered: the connection is closed."""
        self._buffered = b""
        self._lost = True

    def write(self, data: bytes) -> None:
        buffered = self._buffered
        if len(buffered) + len(data) > HOLD_BYTES:
            if buffered:
                self.writelines((data,))
            else:
                self._transport.write(data)
        elif buffered:
            self._buffered = buffered + data
        elif data and not self._lost:
            self._buffered = data
            self._batch.written(self)

    def writelines(self, parts: tuple[bytes, ...]) -> None:
        """Write several parts without joining them."""
        if self._buffered:
            parts = (self._buffered, *parts)
            self._buffered = b""
        self._transport.writelines(parts)

    def flush(self) -> None:
        """Write what is buffered now."""
        buffered = self._buffered
        if buffered:
            self._buffered = b""
            self._transport.write(buffered)

    def can_write_eof(self) -> bool:
        return bool(self._transport.can_write_eof())

    def write_eof(self) -> None:
        self.flush()
        self._transport.write_eof()

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        self.flush()
        if self._transport is not None:
            self._transport.abort()

    def drop(self) -> None:
        """Close at once, without what is buffered."""
        self._buffered = b""
        self.abort()

    def is_closing(self) -> bool:
        return bool(self._transport.is_closing())

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def has_input(self) -> bool:
        """True if the kernel has bytes that are not read: a close would reset the connection."""
        try:
            waiting = fcntl.ioctl(
                self._transport.get_extra_info("socket").fileno(), termios.FIONREAD, _NO_INPUT
            )
        except OSError:
            return False
        return waiting != _NO_INPUT

    @property
    def kernel_backlog(self) -> int:
        """Bytes in the kernel that the peer has not acknowledged."""
        try:
            waiting = fcntl.ioctl(
                self._transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, _NO_INPUT
            )
        except OSError:
            return 0
        return int.from_bytes(waiting, sys.byteorder)

    def read_waiting(self, count: int) -> bytes:
        """Return up to `count` bytes that the paused transport has not read, b"" if there are none or under TLS."""
        if self._transport.get_extra_info("ssl_object") is not None:
            return b""
        try:
            return os.read(self._transport.get_extra_info("socket").fileno(), count)
        except OSError:
            return b""  # the loop notices the cause

    def get_extra_info(self, name: str) -> Any:
        return self._transport.get_extra_info(name)

    def read_leftover(self) -> list[bytes]:
        """Return what a broken connection still holds; under TLS a `LeftoverReader` has read it already."""
        if self._transport.get_extra_info("sslcontext") is not None:
            return []
        return read_leftover(self._transport)

    @property
    def undelivered(self) -> bool:
        """True if the peer's kernel has not taken all that was written; unknown under TLS, and False."""
        return self._transport.get_extra_info("sslcontext") is None and undelivered(self._transport)

    def get_write_buffer_size(self) -> int:
        """Return the number of bytes that the kernel has not accepted yet."""
        self.flush()
        size: int = self._transport.get_write_buffer_size()
        return size
