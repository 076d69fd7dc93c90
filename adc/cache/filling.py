"""A response being stored while it is sent on: its content so far, for the store and for followers."""

from __future__ import annotations

from adc.cache.entry import Entry
from adc.cache.files import FileWriter
from adc.cache.tiered import TieredStore
from adc.http.message import UNKNOWN_LENGTH


class Filling:
    """Content goes into memory, and from there to a file once it is too long for the memory tier.

    `expected` is the length announced, or UNKNOWN_LENGTH. `entry` is the head that followers may answer with,
    `length` the bytes so far. After `write` returned False, or `abort`, nothing will be stored and `failed`
    says why.
    """

    __slots__ = ("_buffer", "_file", "_mark", "_store", "complete", "entry", "expected", "failed", "length")

    def __init__(self, store: TieredStore, entry: Entry, expected: int, mark: int) -> None:
        self.entry = entry
        self.expected = expected
        self.length = 0
        self.complete = False
        self.failed = ""
        self._store = store
        self._mark = mark
        self._buffer = bytearray()
        self._file: FileWriter | None = None

    def write(self, data: bytes) -> bool:
        """Add content. False once it cannot be stored: over the limit, or the disk refuses."""
        if self.failed:
            return False
        self.length += len(data)
        if self.length > self._store.max_object:
            self._store.stats.too_large += 1
            self.abort(f"larger than {self._store.max_object} bytes")
        elif self._file is not None:
            self._to_file(self._file, data)
        else:
            self._buffer += data
            if self._store.disk is not None and self.length > self._store.memory.max_object:
                self._spill()
        return not self.failed

    def read_at(self, start: int, size: int) -> bytes:
        """Content received so far, from `start`, at most `size` bytes. Raises OSError."""
        if self._file is not None:
            return self._file.read_at(start, size)
        return bytes(self._buffer[start : start + size])

    def commit(self, now: float) -> Entry | None:
        """Store what was written, now whole. None if that did not succeed or a purge came meanwhile."""
        if self.failed:
            return None
        if self.expected not in (UNKNOWN_LENGTH, self.length):
            self.abort(f"ended after {self.length} of {self.expected} bytes")
            return None
        self.complete = True
        if self._file is not None:
            return self._store.put_file(self.entry.filled(None, self.length), self._file, self._mark, now)
        return self._store.put(self.entry.filled(bytes(self._buffer), self.length), self._mark, now)

    def abort(self, reason: str) -> None:
        """Store nothing, and let go of what was held."""
        self.failed = self.failed or reason
        self._buffer = bytearray()
        if self._file is not None:
            self._file.abort()
            self._file = None

    def _spill(self) -> None:
        disk = self._store.disk
        file = None if disk is None else disk.begin()
        if file is None:
            self.abort("no file can be made")
            return
        self._file = file
        self._to_file(file, bytes(self._buffer))
        self._buffer = bytearray()

    def _to_file(self, file: FileWriter, data: bytes) -> None:
        try:
            file.write(data)
        except OSError as error:
            if self._store.disk is not None:
                self._store.disk.failed(error)
            self.abort(f"disk: {error.strerror}")
