"""A response being stored while it is sent on: its content so far, for the store and for followers."""

from __future__ import annotations

from io import BytesIO

from adc.cache.entry import Entry
from adc.cache.files import FileWriter
from adc.cache.tiered import TieredStore
from adc.http.message import UNKNOWN_LENGTH


class Filling:
    """Content goes into memory, and from there to a file once it is too long for the memory tier.

    `expected` is the announced length, or UNKNOWN_LENGTH. `entry` is the head that followers may answer with, `length`
    the bytes so far. The bytes are claimed in their tier until they are stored, dropped, or no longer referenced. Once
    `failed` has a reason, nothing will be stored; followers can read on until `abort`.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_claimed",
        "_dropped",
        "_file",
        "_mark",
        "_store",
        "complete",
        "entry",
        "expected",
        "failed",
        "length",
    )

    def __init__(self, store: TieredStore, entry: Entry, expected: int, mark: int) -> None:
        self.entry = entry
        self.expected = expected
        self.length = 0
        self.complete = False
        self.failed = ""
        self._store = store
        self._mark = mark
        self._buffer = BytesIO()
        self._body: bytes | None = None
        self._claimed = 0
        self._dropped = False
        self._file: FileWriter | None = None

    @property
    def limit(self) -> int:
        """The length in bytes over which content is not stored."""
        store = self._store
        return store.max_object if store.disk is not None else min(store.max_object, store.memory.max_object)

    @property
    def remaining(self) -> int:
        """Return how many bytes the member may still send."""
        return (self.limit if self.expected == UNKNOWN_LENGTH else self.expected) - self.length

    def write(self, data: bytes) -> bool:
        """Add content. False once it cannot be stored: over a limit, no room, or the disk refuses."""
        if self._dropped:
            return False
        self.length += len(data)
        if not self.failed and self.length > self.limit:
            self._store.stats.too_large += 1
            self.failed = f"larger than {self.limit} bytes"
        if self._file is not None:
            self._to_file(self._file, data)
        else:
            self._to_memory(data)
        return not self.failed

    def read_at(self, start: int, size: int) -> bytes:
        """Return content received so far, from `start`, at most `size` bytes. Raises OSError."""
        if self._file is not None:
            return self._file.read_at(start, size)
        if self._body is not None:
            return self._body[start : start + size]
        self._buffer.seek(start)
        return self._buffer.read(size)

    def commit(self, now: float) -> Entry | None:
        """Store the complete content. None if that failed or a purge happened meanwhile."""
        if self.failed:
            self.abort(self.failed)
            return None
        if self.expected not in (UNKNOWN_LENGTH, self.length):
            self.abort(f"ended after {self.length} of {self.expected} bytes")
            return None
        self.complete = True
        self._unclaim()
        if self._file is not None:
            return self._store.put_file(self.entry.filled(None, self.length), self._file, self._mark, now)
        body = self._body = self._buffer.getvalue()  # shares the buffer's bytes
        self._buffer = BytesIO()
        self._store.memory.loans.lend(body)
        return self._store.put(self.entry.filled(body, self.length), self._mark, now)

    def abort(self, reason: str) -> None:
        """Store nothing, and drop the received content."""
        self.failed = self.failed or reason
        self._dropped = True
        self._unclaim()
        self._buffer = BytesIO()
        if self._file is not None:
            self._file.abort()
            self._file = None

    def __del__(self) -> None:
        if self._body is not None:
            self._store.memory.loans.give_back(self._body)
        if not self.complete:
            self.abort("unfinished")

    def _to_memory(self, data: bytes) -> None:
        fits = self._store.memory.claim(self._claimed, len(data))
        self._claimed += len(data)
        self._buffer.seek(0, 2)
        self._buffer.write(data)
        if self.failed:
            return
        if self._store.disk is not None:
            if not fits or self.length > self._store.memory.max_object:
                self._spill()
        elif not fits:
            self._store.stats.no_room += 1
            self.failed = "no room beside other responses"

    def _spill(self) -> None:
        disk = self._store.disk
        file = None if disk is None else disk.begin()
        if file is None:
            self.abort("no file can be made")
            return
        self._unclaim()
        self._file = file
        data = self._buffer.getvalue()
        self._buffer = BytesIO()
        self._to_file(file, data)

    def _to_file(self, file: FileWriter, data: bytes) -> None:
        disk = self._store.disk
        if disk is None:
            return
        fits = disk.claim(self._claimed, len(data))
        self._claimed += len(data)
        if not fits and not self.failed:
            self._store.stats.no_room += 1
            self.failed = "no room beside other responses"
        try:
            file.write(data)
        except OSError as error:
            disk.failed(error)
            self.abort(f"disk: {error.strerror}")

    def _unclaim(self) -> None:
        claimed, self._claimed = self._claimed, 0
        if self._file is None:
            self._store.memory.claims.release(claimed)
        elif self._store.disk is not None:
            self._store.disk.claims.release(claimed)
