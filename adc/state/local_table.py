"""One table of the local store: a named database in the LMDB file.

A record is the expiry, the time of the last write and the value. There is no index by time: it would double
the cost of every write and half again the size. Instead a hand goes round the keys, as in the CLOCK
algorithm: reaping looks at the next entries for expired ones, eviction at a window of entries and drops the
oldest of them.

A process keeps what it has read of the clients it saw last, and knows by `versions` whether that still holds."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import lmdb

from adc.state.interface import (
    Cancel,
    ChangeKind,
    Claimed,
    Entry,
    Fetched,
    Merge,
    Page,
    TableStats,
    Watcher,
    check_entry,
    first_stands,
    merged,
)
from adc.state.versions import group_of

if TYPE_CHECKING:
    from adc.state.local import LocalStore

_HEAD = struct.Struct("<dd")  # expires, written
_HEAD_SIZE = _HEAD.size
_unpack_head = _HEAD.unpack_from
_MAX_BATCH = 64
_WINDOWS = 4
_SMALLEST_WINDOW = 32
_SMALLEST_CEILING = 1024
_MOST_KEPT = 4096
"""Entries of which a process keeps what it has read."""


class LocalTable:
    """A `Table` in a shared file. Use from one thread."""

    def __init__(self, store: LocalStore, name: str) -> None:
        self.name = name
        self.size = 0
        self.merge: Merge | None = None
        self.stats = TableStats()
        self._store = store
        self._id = b"t:" + name.encode()
        self._database = store.environment.open_db(self._id)
        self._begin = store.environment.begin
        self._noted = store.versions
        self._kept: dict[bytes, tuple[int, int, Entry]] = {}  # group, its number when read, what was read
        self._hand = b""
        self._ceiling: int | None = None  # what the table grew to when the file was found nearly full

    def __len__(self) -> int:
        try:
            with self._begin(self._database) as transaction:
                return transaction.stat(self._database)["entries"]
        except lmdb.Error:  # closed, as when a worker that has drained tells its counters
            return 0

    def get(self, key: bytes, now: float) -> Entry | None:
        return self._read(key, now)[0]

    def lookup(self, key: bytes, now: float) -> Entry | None:
        known = self._kept.get(key)
        if known is not None:
            group, number, entry = known
            if self._noted[group] == number:
                return entry if entry.expires > now else None
            del self._kept[key]
        found, snapshot = self._read(key, now)
        if found is not None:
            self._keep(key, found, snapshot)
        return found

    def fetch(self, key: bytes, now: float, done: Fetched) -> None:
        done(self.get(key, now))

    def _read(self, key: bytes, now: float) -> tuple[Entry | None, int]:
        """The live entry, and the number of the last transaction that it is as of."""
        try:
            transaction = self._begin(self._database)
            record = transaction.get(key)
            snapshot = transaction.id()
            transaction.abort()
        except lmdb.Error as error:
            self._store.failed(error, now)
            return None, 0
        if record is None:
            return None, snapshot
        expires = _unpack_head(record)[0]
        return (Entry(record[_HEAD_SIZE:], expires) if expires > now else None), snapshot

    def _keep(self, key: bytes, entry: Entry, snapshot: int) -> None:
        group = group_of(key)
        number = self._noted[group]
        if number > snapshot:  # a newer write has begun: what was read may not hold any more
            return
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (group, number, entry)

    def set(self, key: bytes, value: bytes, ttl: float, now: float, merge: Merge | None = None) -> bytes:
        check_entry(key, value)
        offered = Entry(value, now + ttl)
        try:
            with self._begin(self._database, write=True) as transaction:
                record = transaction.get(key)
                known = None if record is None else Entry(record[_HEAD_SIZE:], _unpack_head(record)[0])
                live = known is not None and known.expires > now
                entry = offered if known is None or not live else merged(known, offered, merge or self.merge)
                value = entry.value
                self._put(transaction, key, entry, now, old=record, live=live)
                self._store.journal.append(transaction, self._id, "set", key, value, now)
        except lmdb.Error as error:
            self._refused(error, now)
        else:
            self._store.worked()
        return value

    def claim(self, key: bytes, value: bytes, ttl: float, now: float, done: Claimed) -> None:
        done(Entry(self.set(key, value, ttl, now, first_stands), now + ttl))

    def touch(self, key: bytes, ttl: float, now: float) -> bool:
        check_entry(key)
        try:
            with self._begin(self._database, write=True) as transaction:
                record = transaction.get(key)
                if record is None or _unpack_head(record)[0] <= now:
                    return False
                self._note(transaction, key)
                transaction.put(key, _HEAD.pack(now + ttl, now) + record[_HEAD_SIZE:])
        except lmdb.Error as error:
            self._refused(error, now)
        return True

    def delete(self, key: bytes, now: float) -> bool:
        check_entry(key)
        try:
            with self._begin(self._database, write=True) as transaction:
                self._note(transaction, key)
                record = transaction.pop(key)
                if record is None or _unpack_head(record)[0] <= now:
                    return False
                self._store.journal.append(transaction, self._id, "delete", key, b"", now)
        except lmdb.Error as error:
            self._refused(error, now)
        return True

    def add(self, key: bytes, amount: int, ttl: float, now: float) -> int:
        check_entry(key)
        total = amount
        try:
            with self._begin(self._database, write=True) as transaction:
                record = transaction.get(key)
                expires = 0.0 if record is None else _unpack_head(record)[0]
                live = record is not None and expires > now
                if record is not None and live:
                    total += int(record[_HEAD_SIZE:])
                entry = Entry(b"%d" % total, expires if live else now + ttl)
                self._put(transaction, key, entry, now, old=record, live=live)
                self._store.journal.append(transaction, self._id, "set", key, entry.value, now)
        except lmdb.Error as error:
            self._refused(error, now)
        return total

    def scan(
        self, now: float, *, prefix: bytes = b"", limit: int = 1000, cursor: bytes | None = None
    ) -> Page:
        found: list[tuple[bytes, Entry]] = []
        start = prefix if cursor is None else max(prefix, cursor + b"\0")
        with self._begin(self._database) as transaction:
            for key, record in _from(transaction.cursor(), start):
                if not key.startswith(prefix):
                    break
                expires = _unpack_head(record)[0]
                if expires <= now:
                    continue
                if len(found) == limit:
                    return Page(found, found[-1][0] if found else cursor)
                found.append((key, Entry(record[_HEAD_SIZE:], expires)))
        return Page(found, None)

    def watch(self, callback: Watcher) -> Cancel:
        return self._store.journal.watch(self._id, callback)

    def reap(self, now: float, budget: int) -> int:
        """Drop what has expired among the next `budget` entries."""
        with self._begin(self._database) as transaction:
            dead = [key for key, record in self._next(transaction, budget) if _unpack_head(record)[0] <= now]
        if not dead:
            return 0
        with self._begin(self._database, write=True) as transaction:
            dropped = 0
            for key in dead:
                record = transaction.get(key)
                if record is not None and _unpack_head(record)[0] <= now:
                    self._drop(transaction, key, "expired", now)
                    dropped += 1
        self.stats.expired += dropped
        return dropped

    def _put(
        self,
        transaction: lmdb.Transaction,
        key: bytes,
        entry: Entry,
        now: float,
        *,
        old: bytes | None,
        live: bool,
    ) -> None:
        if not live:
            self.stats.created += 1
            self.stats.expired += old is not None
        if old is None:
            entries = transaction.stat(self._database)["entries"]
            if self._ceiling is None and self._store.crowded():
                self._ceiling = max(entries, _SMALLEST_CEILING)
            surplus = entries + 1 - (self.size if self._ceiling is None else min(self.size, self._ceiling))
            if surplus > 0:
                self._make_room(transaction, surplus, now)
        self._note(transaction, key)
        transaction.put(key, _HEAD.pack(entry.expires, now) + entry.value)

    def _make_room(self, transaction: lmdb.Transaction, surplus: int, now: float) -> None:
        """Drop the expired entries of a window; if that is not enough, its oldest ones. A table that has
        shrunk in a reload comes down to its size batch by batch, not in one long transaction."""
        batch = max(1, min(_MAX_BATCH, self.size // 16))
        window = [
            (*_unpack_head(record), key)
            for key, record in self._next(transaction, max(_SMALLEST_WINDOW, _WINDOWS * batch))
        ]
        dead = [key for expires, _, key in window if expires <= now]
        for key in dead:
            self._drop(transaction, key, "expired", now)
        self.stats.expired += len(dead)
        surplus -= len(dead)
        if surplus <= 0:
            return
        live = sorted((written, key) for expires, written, key in window if expires > now)
        oldest = live[: max(batch, min(surplus, 2 * batch))]
        for _, key in oldest:
            self._drop(transaction, key, "evicted", now)
        self.stats.evicted += len(oldest)

    def _drop(self, transaction: lmdb.Transaction, key: bytes, kind: ChangeKind, now: float) -> None:
        self._note(transaction, key)
        transaction.delete(key)
        self._store.journal.append(transaction, self._id, kind, key, b"", now)

    def _note(self, transaction: lmdb.Transaction, key: bytes) -> None:
        """What others keep of `key` will not hold once `transaction` is committed."""
        self._noted[group_of(key)] = transaction.id()

    def _next(self, transaction: lmdb.Transaction, count: int) -> list[tuple[bytes, bytes]]:
        """The next `count` records from the hand on, round the end, none twice."""
        count = min(count, transaction.stat(self._database)["entries"])
        cursor = transaction.cursor()
        found: list[tuple[bytes, bytes]] = []
        for start in (self._hand, b""):
            for item in _from(cursor, start):
                if len(found) == count:
                    self._hand = item[0]
                    return found
                found.append(item)
        self._hand = b""
        return found

    def _refused(self, error: lmdb.Error, now: float) -> None:
        self.stats.dropped += 1
        self._store.failed(error, now)


def _from(cursor: lmdb.Cursor, start: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not cursor.set_range(start):
        return iter(())
    return cast("Iterator[tuple[bytes, bytes]]", cursor.iternext())
