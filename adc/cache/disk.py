"""The disk tier: bodies in files, heads in the index, shared by the workers of a machine and kept over a restart.

Nothing here raises for a broken or full disk or a damaged file: a store that cannot read has no entries, a store that
cannot write stores nothing, and `report` logs the reason.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import lmdb

from adc.cache.claims import Claims
from adc.cache.entry import Entry
from adc.cache.environment import Environment
from adc.cache.files import CorruptFileError, FileBody, FileWriter, open_body
from adc.cache.index import ID_BYTES, Index, NoRoomError, Record, disk_cost, record_id
from adc.cache.purge import Purge
from adc.cache.stats import Stats
from adc.telemetry.log_line import Report

_BATCH = 64
_MOST_BATCHES = 512
_TOUCHES = 128
_CLAIMED_SHARE = 4
_COARSE = 60
"""Seconds within which a further use of an entry is not written down."""

_SETTLED = 300
"""Age in seconds above which a temporary file, or one without a record, is removed as a leftover."""


class DiskBody:
    """The content of an entry found on disk: `open` it to send it in pieces, or `read` it whole."""

    __slots__ = ("record", "store")

    def __init__(self, store: DiskStore, record: Record) -> None:
        self.store: Final = store
        self.record: Final = record

    def open(self, length: int) -> FileBody | None:
        """Return the open file, None if it is missing or damaged (it is then dropped and reported)."""
        return self.store.open(self.record, length)

    def read(self) -> bytes:
        """Return all of it. Raises FileNotFoundError, CorruptFileError or OSError."""
        body = open_body(self.store.file_of(self.record), self.record.entry().length)
        try:
            return body.read()
        finally:
            body.close()


@dataclass(frozen=True, slots=True)
class Stored:
    """Result of a commit: the place of the content, and True if it replaced another entry."""

    body: DiskBody
    replaced: bool


class DiskStore:
    """Entries within `limit` bytes, evicted by last use, to the minute. `report` gets a line for the error
    log.
    """

    def __init__(
        self,
        environment: Environment,
        limit: int,
        stats: Stats,
        report: Report,
        max_variants: int = 32,
    ) -> None:
        self.index = Index(environment, limit)
        self.objects = environment.path / "objects"
        self.max_variants = max_variants
        self.claims = Claims(_CLAIMED_SHARE)
        self._stats = stats
        self._report = report
        self._touched: dict[bytes, None] = {}
        (self.objects / "new").mkdir(parents=True, exist_ok=True)

    def get(self, key: bytes, now: float) -> list[Entry]:
        """Return the entries of `key`, each with a `DiskBody`."""
        try:
            records = self.index.find(key, self.max_variants)
            found = [(record, record.entry()) for record in records]
        except (lmdb.Error, ValueError) as error:
            self._report("cache_index_unreadable", detail=str(error))
            return []
        for record, entry in found:
            entry.body = DiskBody(self, record)
            if now - record.used >= _COARSE:
                self._touched[record.id] = None
        if len(self._touched) >= _TOUCHES:
            self.flush(now)
        return [entry for _, entry in found if entry.key == key]

    def open(self, record: Record, length: int) -> FileBody | None:
        """Return the body of `record`, None if there is none to be had."""
        try:
            return open_body(self.file_of(record), length)
        except FileNotFoundError:
            self._discard(record)
        except CorruptFileError as error:
            self._stats.corrupt += 1
            self._report("cache_file_dropped", file=record.name, detail=str(error))
            self._discard(record)
        except OSError as error:
            self._report("cache_file_unreadable", file=record.name, detail=error.strerror)
        return None

    def claim(self, claimed: int, more: int) -> bool:
        """Count `more` bytes of a file being filled, of which `claimed` were counted before, and evict entries for
        them. Return False if this worker has no room for them."""
        fits = self.claims.add(claimed, more, self.index.limit)
        if fits:
            try:
                self._make_room(self.claims.total)
            except (NoRoomError, lmdb.Error):
                return False
        return fits

    def begin(self) -> FileWriter | None:
        """Return a file to fill, None if the disk allows none."""
        try:
            return FileWriter(self.objects / "new" / f"{os.getpid()}-{os.urandom(8).hex()}")
        except OSError as error:
            self.failed(error)
            return None

    def commit(self, writer: FileWriter, entry: Entry, now: float) -> Stored | None:
        """Make the content of `writer` the body of `entry`. None if it could not be stored."""
        serial = os.urandom(8)
        head = entry.head_bytes()
        cost = disk_cost(entry, head)
        record = Record(record_id(entry), serial, cost, int(now), invalid=False, head=head)
        path = self.file_of(record)
        try:
            self._make_room(cost)
            if not path.parent.exists():
                path.parent.mkdir(exist_ok=True)
            writer.finish(head, path)
            replaced = self._replace(entry, serial, now)
        except NoRoomError:
            self._stats.too_large += 1
        except (OSError, lmdb.Error) as error:
            self.failed(error)
        else:
            return Stored(DiskBody(self, record), replaced)
        writer.abort()
        path.unlink(missing_ok=True)
        return None

    def put(self, entry: Entry, now: float) -> Stored | None:
        """Store an entry whose body is bytes."""
        writer = self.begin()
        if writer is None:
            return None
        try:
            writer.write(entry.body if isinstance(entry.body, bytes) else b"")
        except OSError as error:
            self.failed(error)
            writer.abort()
            return None
        stored = self.commit(writer, entry, now)
        writer.close()
        return stored

    def update(self, entry: Entry, now: float) -> bool:
        """Replace the head of a stored entry, keeping its file. False if it is no longer there."""
        try:
            known = self.index.get(record_id(entry))
            if known is None or known.entry().length != entry.length:
                return False
            self._replace(entry, known.serial, now)
        except (OSError, lmdb.Error, ValueError, NoRoomError) as error:
            self.failed(error)
            return False
        return True

    def mixed(self, key: bytes) -> bool:
        """True if the entries of `key` differ in the field names of their Vary."""
        try:
            return self.index.mixed(key)
        except lmdb.Error as error:
            self.failed(error)
            return False

    def remove(self, entry: Entry) -> None:
        """Drop what `entry` supersedes."""
        try:
            record = self.index.get(record_id(entry))
        except lmdb.Error as error:
            self.failed(error)
            return
        if record is not None:
            self._discard(record)

    def purging(self, purge: Purge) -> Generator[None, None, int]:
        """Drop, or mark if soft, everything that `purge` covers, a batch a step. Returns how many. Raises
        lmdb.Error.
        """
        count, after = 0, b""
        while True:
            records, following = self.index.purge(purge, _BATCH, after)
            count += len(records)
            if not purge.soft:
                self._unlink(records)
            if following is None:
                return count
            after = following
            yield

    def flush(self, now: float) -> None:
        """Write down the uses seen since the last time; to be called every few seconds."""
        ids, self._touched = list(self._touched), {}
        if ids:
            try:
                self.index.touch(ids, now)
            except lmdb.Error as error:
                self.failed(error)

    def sweep(self, now: float) -> Iterator[int]:
        """Remove rests of killed processes, a folder a step; each step yields how many files went."""
        for folder in sorted(self.objects.iterdir()):
            yield sum(self._swept(path, folder.name == "new", now) for path in folder.iterdir())

    def failed(self, error: Exception) -> None:
        """Count and report a write that did not succeed."""
        self._stats.failed_writes += 1
        self._report("cache_store_failed", detail=str(error))

    def file_of(self, record: Record) -> Path:
        """Return the path of the body of `record`."""
        return self.objects / record.name[:2] / record.name

    def _swept(self, path: Path, temporary: bool, now: float) -> bool:
        try:
            if now - path.stat().st_mtime < _SETTLED or (not temporary and self._known(path.name)):
                return False
            path.unlink()
        except (OSError, ValueError, lmdb.Error):
            return False
        return True

    def _known(self, name: str) -> bool:
        record = self.index.get(bytes.fromhex(name[: 2 * ID_BYTES]))
        return record is not None and record.name == name

    def _make_room(self, cost: int) -> None:
        if cost > self.index.limit:
            raise NoRoomError
        if self.index.fits(cost):
            return
        for _ in range(_MOST_BATCHES):
            dropped = self.index.evict(cost, _BATCH)
            self._stats.evicted_disk += len(dropped)
            self._unlink(dropped)
            if len(dropped) < _BATCH:
                return

    def _replace(self, entry: Entry, serial: bytes, now: float) -> bool:
        """Put the record. True if it replaced another one."""
        try:
            done = self.index.put(entry, serial, now, self.max_variants)
        except lmdb.MapFullError:
            self._unlink(self.index.evict(self.index.limit, _BATCH))
            done = self.index.put(entry, serial, now, self.max_variants)
        self._unlink(done.surplus)
        self._stats.evicted_disk += len(done.surplus)
        if done.replaced is not None:
            self._unlink([done.replaced])
        return done.replaced is not None

    def _discard(self, record: Record) -> None:
        try:
            if self.index.remove(record):
                self._unlink([record])
        except lmdb.Error as error:
            self.failed(error)

    def _unlink(self, records: list[Record]) -> None:
        for record in records:
            try:
                self.file_of(record).unlink(missing_ok=True)
            except OSError as error:
                self._report("cache_file_not_removed", file=record.name, detail=error.strerror)
