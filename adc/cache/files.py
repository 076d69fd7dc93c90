"""Bodies as files: one file per stored response, whole or absent.

A file is a preamble of 32 bytes, the content, and the head as stored. The preamble holds their lengths and checksums.
It is written last, and the file is then renamed into place: a killed process leaves a nameless file that the next
start removes.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

_PREAMBLE = struct.Struct(">8sQIII")
_CHECK = struct.Struct(">I")
_MAGIC = b"adc\x00obj\x01"
PREAMBLE_BYTES = _PREAMBLE.size + _CHECK.size
CHECKED_BYTES = 1024 * 1024
"""Content up to this size is compared with its checksum whenever it is read; longer content by its length."""


class CorruptFileError(Exception):
    """The file differs from the stored content; the message says how."""


class FileBody:
    """Content in an open file: `length` bytes from `offset` of descriptor `fd`, to send or read in chunks.

    The descriptor stays valid if the entry is evicted or replaced meanwhile. The opener closes it.
    """

    __slots__ = ("_checksum", "fd", "length", "offset")

    def __init__(self, fd: int, offset: int, length: int, checksum: int) -> None:
        self.fd = fd
        self.offset = offset
        self.length = length
        self._checksum = checksum

    def read(self) -> bytes:
        """Return all of it, compared with its checksum. Raises CorruptFileError, OSError."""
        data = self.read_at(0, self.length)
        if len(data) != self.length or zlib.crc32(data) != self._checksum:
            raise CorruptFileError("content does not have its checksum")
        return data

    def read_at(self, start: int, size: int) -> bytes:
        """Return up to `size` bytes from `start` of the content."""
        return os.pread(self.fd, max(0, min(size, self.length - start)), self.offset + start)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __del__(self) -> None:
        self.close()


def open_body(path: Path, length: int) -> FileBody:
    """Open a stored file whose content has `length` bytes.

    Raises FileNotFoundError if it is missing, CorruptFileError if it is incomplete or no such file, OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        checksum = _checked_preamble(descriptor, length)
    except BaseException:
        os.close(descriptor)
        raise
    body = FileBody(descriptor, PREAMBLE_BYTES, length, checksum)
    if length <= CHECKED_BYTES:
        body.read()
    return body


def _checked_preamble(descriptor: int, length: int) -> int:
    """Return the checksum of the content after checking everything that needs no reading of it."""
    start = os.pread(descriptor, PREAMBLE_BYTES, 0)
    if len(start) < PREAMBLE_BYTES:
        raise CorruptFileError("shorter than its preamble")
    magic, stored_length, head_length, head_sum, body_sum = _PREAMBLE.unpack_from(start)
    if magic != _MAGIC or _CHECK.unpack_from(start, _PREAMBLE.size)[0] != _preamble_sum(start):
        raise CorruptFileError("preamble does not have its checksum")
    if stored_length != length:
        raise CorruptFileError(f"holds {stored_length} bytes of content instead of {length}")
    if os.fstat(descriptor).st_size != PREAMBLE_BYTES + length + head_length:
        raise CorruptFileError("is not as long as its preamble says")
    if zlib.crc32(os.pread(descriptor, head_length, PREAMBLE_BYTES + length)) != head_sum:
        raise CorruptFileError("head does not have its checksum")
    return int(body_sum)


def _preamble_sum(start: bytes) -> int:
    return zlib.crc32(start[: _PREAMBLE.size])


class FileWriter:
    """A file being filled. `path` has a temporary name; every method may raise OSError (a full disk)."""

    __slots__ = ("_checksum", "_fd", "length", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.length = 0
        self._checksum = 0
        self._fd = -1
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes) -> None:
        """Append content."""
        written = 0
        while written < len(data):
            written += os.pwrite(self._fd, data[written:], PREAMBLE_BYTES + self.length + written)
        self.length += len(data)
        self._checksum = zlib.crc32(data, self._checksum)

    def read_at(self, start: int, size: int) -> bytes:
        """Return content written so far."""
        return os.pread(self._fd, max(0, min(size, self.length - start)), PREAMBLE_BYTES + start)

    def finish(self, head: bytes, target: Path) -> None:
        """Write head and preamble and move the file to `target`. The content written can still be read."""
        os.pwrite(self._fd, head, PREAMBLE_BYTES + self.length)
        start = _PREAMBLE.pack(_MAGIC, self.length, len(head), zlib.crc32(head), self._checksum)
        if os.pwrite(self._fd, start + _CHECK.pack(_preamble_sum(start)), 0) != PREAMBLE_BYTES:
            raise OSError("short write")
        os.rename(self.path, target)

    def abort(self) -> None:
        """Abort: delete the file. No-op if it was finished or aborted already."""
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._fd >= 0:
            descriptor, self._fd = self._fd, -1
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()
