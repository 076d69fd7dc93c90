"""The index of the disk tier, in LMDB: heads of entries, their files, use, URLs and tags, shared by all
workers.

Tables: `records` (record id -> fixed part and head), `use` (last use and id, for eviction), `urls` and `tags`
(for purges), `totals`. A record id is 20 bytes of SHA-256 of the key, 2 of the field names in Vary and 6 of
the variant, so that the variants of a key lie side by side, in order of their Vary.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

import lmdb

from adc.cache.entry import Entry, entry_from_bytes
from adc.cache.environment import Environment
from adc.cache.files import PREAMBLE_BYTES
from adc.cache.purge import Purge, Scope

KEY_BYTES = 20
_NAMES_END = 22
ID_BYTES = 28
_FIXED = struct.Struct(">8sQIB")
_URL_BYTES = 380
"""URLs are indexed by as many bytes of theirs as fit in an LMDB key (511) beside a record id."""

_PAGE = 4096
_INLINE = 2000
"""LMDB keeps longer values on separate pages."""

_RECORD_COST = 500
_TAG_COST = 120
"""Bytes of the index for an entry and for a tag, beside head and URL, as measured with half-full pages."""


def disk_cost(entry: Entry, head: bytes) -> int:
    """Return the bytes that `entry` takes on disk: the blocks of its file, and its records in the index."""
    file = _pages(PREAMBLE_BYTES + entry.length + len(head))
    record = 2 * len(head) if len(head) <= _INLINE else _pages(len(head))
    urls = 2 * min(len(entry.key), _URL_BYTES)
    return file + _RECORD_COST + record + urls + _TAG_COST * len(entry.tags)


def _pages(length: int) -> int:
    return -(-length // _PAGE) * _PAGE


@dataclass(frozen=True, slots=True)
class Record:
    """One entry in the index. `serial` distinguishes its file from earlier files of the same id; `size` is its cost in
    bytes; `used` the last use in wall seconds, as coarse as the calls of `Index.touch`."""

    id: bytes
    serial: bytes
    size: int
    used: int
    invalid: bool
    head: bytes

    @property
    def name(self) -> str:
        """The name of the entry's file."""
        return f"{self.id.hex()}-{self.serial.hex()}"

    def entry(self) -> Entry:
        """Return the entry, without its body. Raises ValueError if the record is damaged."""
        entry = entry_from_bytes(self.head)
        entry.invalid = self.invalid
        return entry

    def packed(self) -> bytes:
        return _FIXED.pack(self.serial, self.size, self.used, self.invalid) + self.head


def record_id(entry: Entry) -> bytes:
    """Return the id under which `entry` is stored: an entry that supersedes it has the same id."""
    part = b"" if entry.part is None else b"%d-%d" % (entry.part.first, entry.part.last)
    variant = repr((entry.varying, part)).encode()
    names = b",".join(name for name, _ in entry.varying)
    return b"".join(
        (
            sha256(entry.key).digest()[:KEY_BYTES],
            sha256(names).digest()[: _NAMES_END - KEY_BYTES],
            sha256(variant).digest()[: ID_BYTES - _NAMES_END],
        )
    )


@dataclass(frozen=True, slots=True)
class Put:
    """Records that a new one displaced: the same variant's, if that had another file, and surplus ones of its key."""

    replaced: Record | None
    surplus: list[Record]


class NoRoomError(Exception):
    """The entry does not fit within the limit."""


class Index:
    """Records within `limit` bytes in total. Every method may raise lmdb.Error; a full map is
    lmdb.MapFullError.
    """

    def __init__(self, environment: Environment, limit: int) -> None:
        self.limit = limit
        self._env = environment.lmdb
        self._records = self._env.open_db(b"records")
        self._use = self._env.open_db(b"use")
        self._urls = self._env.open_db(b"urls")
        self._tags = self._env.open_db(b"tags")
        self._totals = self._env.open_db(b"totals")

    def find(self, key: bytes, most: int) -> list[Record]:
        """Return the records of `key`, at most `most`."""
        start = sha256(key).digest()[:KEY_BYTES]
        with self._env.begin(buffers=False) as txn:
            return list(islice(_starting(txn, self._records, start), most))

    def mixed(self, key: bytes) -> bool:
        """True if records of `key` differ in the field names of their Vary."""
        start = sha256(key).digest()[:KEY_BYTES]
        with self._env.begin() as txn, txn.cursor(db=self._records) as cursor:
            if not cursor.set_range(start):
                return False
            first = bytes(cursor.key())
            beyond = cursor.set_range(start + b"\xff" * (ID_BYTES - KEY_BYTES))
            last = bytes(cursor.key()) if (cursor.prev() if beyond else cursor.last()) else first
        return last.startswith(start) and first[:_NAMES_END] != last[:_NAMES_END]

    def get(self, record_id: bytes) -> Record | None:
        """Return the record with that id."""
        with self._env.begin() as txn:
            return self._read(txn, record_id)

    def total(self) -> int:
        """Return bytes that all entries cost."""
        with self._env.begin() as txn:
            return self._total(txn)

    def __len__(self) -> int:
        """Number of entries."""
        with self._env.begin() as txn:
            return int(txn.stat(self._records)["entries"])

    def fits(self, cost: int) -> bool:
        """True if an entry of `cost` bytes fits now; a read, where `evict` takes the writer lock."""
        return self.total() + cost <= self.limit

    def put(self, entry: Entry, serial: bytes, now: float, most: int) -> Put:
        """Add or replace the record of `entry`; drop the least recently used one of its key if there were `most`.

        Raises NoRoomError if it would exceed the limit: evict first.
        """
        head = entry.head_bytes()
        size = disk_cost(entry, head)
        record = Record(record_id(entry), serial, size, int(now), entry.invalid, head)
        with self._env.begin(write=True) as txn:
            old = self._drop(txn, record.id)
            surplus = [] if old is not None else self._drop_surplus(txn, record.id[:KEY_BYTES], most)
            if self._total(txn) + record.size > self.limit:
                raise NoRoomError
            self._add(txn, record, entry)
        return Put(None if old is None or old.serial == serial else old, surplus)

    def _drop_surplus(self, txn: lmdb.Transaction, key: bytes, most: int) -> list[Record]:
        """Leave room for one more of at most `most` records of a key."""
        with txn.cursor(db=self._records) as cursor:
            count = 0
            here = cursor.set_range(key)
            while here and bytes(cursor.key()).startswith(key):
                count += 1
                here = cursor.next()
        if count < most:
            return []
        oldest = sorted(_starting(txn, self._records, key), key=_used)[: count - most + 1]
        for record in oldest:
            self._drop(txn, record.id)
        return oldest

    def remove(self, record: Record) -> bool:
        """Drop `record` unless a newer one has replaced it. True if it was there."""
        with self._env.begin(write=True) as txn:
            known = self._read(txn, record.id)
            if known is None or known.serial != record.serial:
                return False
            self._drop(txn, record.id)
        return True

    def touch(self, ids: list[bytes], now: float) -> None:
        """Note a use of the records with these ids."""
        with self._env.begin(write=True) as txn:
            for record_id in ids:
                record = self._read(txn, record_id)
                if record is not None and record.used != int(now):
                    txn.delete(_use_key(record), db=self._use)
                    fresh = Record(
                        record.id, record.serial, record.size, int(now), record.invalid, record.head
                    )
                    txn.put(record.id, fresh.packed(), db=self._records)
                    txn.put(_use_key(fresh), b"", db=self._use)

    def evict(self, room: int, most: int) -> list[Record]:
        """Drop the least recently used records until `room` bytes fit, at most `most` of them. Return the dropped
        ones."""
        dropped: list[Record] = []
        with self._env.begin(write=True) as txn:
            while len(dropped) < most and self._total(txn) + room > self.limit:
                with txn.cursor(db=self._use) as cursor:
                    oldest = cursor.key()[4:] if cursor.first() else None
                    if oldest is None:
                        break
                    cursor.delete()
                record = self._drop(txn, oldest)
                if record is not None:
                    dropped.append(record)
        return dropped

    def purge(self, purge: Purge, most: int, after: bytes = b"") -> tuple[list[Record], bytes | None]:
        """Drop, or mark if soft, up to `most` records that `purge` covers, looking from `after` on.

        Returns them and where to go on, None when all have been looked at.
        """
        with self._env.begin(write=True) as txn:
            ids, following = self._covered(txn, purge, most, after)
            found: list[Record] = []
            for record_id in ids:
                record = self._read(txn, record_id)
                if record is None:
                    continue
                entry = record.entry()
                if not purge.covers(entry.key, entry.tags):
                    continue
                found.append(record)
                if purge.soft:
                    txn.put(record.id, _invalid(record).packed(), db=self._records)
                else:
                    self._drop(txn, record.id)
        return found, following

    def _covered(
        self, txn: lmdb.Transaction, purge: Purge, most: int, after: bytes
    ) -> tuple[list[bytes], bytes | None]:
        """Candidate ids from the table that fits, and the place to go on from."""
        if purge.scope is Scope.TAG:
            table, prefix = self._tags, sha256(purge.target).digest()[:KEY_BYTES]
        elif purge.scope is Scope.ALL:
            table, prefix = self._records, b""
        else:
            end = b"" if purge.scope is Scope.PREFIX else b"\0"
            table, prefix = self._urls, (purge.target + end)[:_URL_BYTES]
        ids: list[bytes] = []
        with txn.cursor(db=table) as cursor:
            here = cursor.set_range(max(prefix, after))
            while here and (place := bytes(cursor.key())).startswith(prefix):
                if len(ids) == most:
                    return ids, place
                ids.append(place[-ID_BYTES:])
                here = cursor.next()
        return ids, None

    def _add(self, txn: lmdb.Transaction, record: Record, entry: Entry) -> None:
        txn.put(record.id, record.packed(), db=self._records)
        txn.put(_use_key(record), b"", db=self._use)
        txn.put(_url_key(entry, record.id), b"", db=self._urls)
        for tag in entry.tags:
            txn.put(_tag_key(tag, record.id), b"", db=self._tags)
        self._add_total(txn, record.size)

    def _drop(self, txn: lmdb.Transaction, record_id: bytes) -> Record | None:
        record = self._read(txn, record_id)
        if record is None:
            return None
        txn.delete(record_id, db=self._records)
        txn.delete(_use_key(record), db=self._use)
        entry = record.entry()
        txn.delete(_url_key(entry, record_id), db=self._urls)
        for tag in entry.tags:
            txn.delete(_tag_key(tag, record_id), db=self._tags)
        self._add_total(txn, -record.size)
        return record

    def _read(self, txn: lmdb.Transaction, record_id: bytes) -> Record | None:
        value = txn.get(record_id, db=self._records)
        return None if value is None else _record(record_id, bytes(value))

    def _total(self, txn: lmdb.Transaction) -> int:
        return int.from_bytes(txn.get(b"size", b"", db=self._totals), "big")

    def _add_total(self, txn: lmdb.Transaction, size: int) -> None:
        txn.put(b"size", (self._total(txn) + size).to_bytes(8, "big"), db=self._totals)


def _starting(txn: lmdb.Transaction, table: lmdb._Database, prefix: bytes) -> Iterator[Record]:
    with txn.cursor(db=table) as cursor:
        here = cursor.set_range(prefix)
        while here and (place := bytes(cursor.key())).startswith(prefix):
            yield _record(place, bytes(cursor.value()))
            here = cursor.next()


def _record(record_id: bytes, value: bytes) -> Record:
    serial, size, used, invalid = _FIXED.unpack_from(value)
    return Record(record_id, serial, size, used, bool(invalid), value[_FIXED.size :])


def _invalid(record: Record) -> Record:
    return Record(record.id, record.serial, record.size, record.used, invalid=True, head=record.head)


def _used(record: Record) -> int:
    return record.used


def _use_key(record: Record) -> bytes:
    return record.used.to_bytes(4, "big") + record.id


def _url_key(entry: Entry, record_id: bytes) -> bytes:
    return entry.key[:_URL_BYTES] + b"\0" + record_id


def _tag_key(tag: bytes, record_id: bytes) -> bytes:
    return sha256(tag).digest()[:KEY_BYTES] + record_id
