"""One table of the local store: a named database in the LMDB file.

A record is the expiry, the time of the last write and the value. There is no index by time: it would double the cost
of every write and half again the size. Instead a hand moves round the keys, like in the CLOCK algorithm: reaping
checks the next entries for expired ones, eviction drops the oldest of a window of entries.

A process caches the entries that it read last; `versions` shows if they are still current.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import cast

import lmdb

from adc.state.allowance import Allowance, Granted
from adc.state.interface import (
    Cancel,
    ChangeKind,
    Claimed,
    Count,
    Counted,
    Entry,
    Fetched,
    Merge,
    Page,
    TableStats,
    Watcher,
    check_entry,
    first_stands,
    larger_count,
    merged,
    take_from,
)
from adc.state.memory import MemoryTable
from adc.state.table_file import PREFIX, TableFile
from adc.state.versions import group_of

_HEAD = struct.Struct("<dd")  # expires, written
_HEAD_SIZE = _HEAD.size
_unpack_head = _HEAD.unpack_from
_MAX_BATCH = 64
_WINDOWS = 4
_SMALLEST_WINDOW = 32
_MOST_SPARE = 10_000
"""Entries kept in memory while the file cannot be written."""
_MOST_KEPT = 4096
"""Most entries that a process caches."""

_UNLIMITED = 1 << 62


class LocalTable:
    """A `Table` in a shared file. Use from one thread."""

    def __init__(self, store: TableFile, name: str) -> None:
        self.name = name
        self.size = _UNLIMITED
        self.merge: Merge | None = None
        self.stats = TableStats()
        self._store = store
        self._id = PREFIX + name.encode()
        self._database: lmdb._Database | None = None
        self._begin = store.begin
        self._noted = store.versions
        self._kept: dict[bytes, tuple[int, int, Entry]] = {}  # group, its number when read, the entry read
        self._spare: MemoryTable | None = None  # entries that could not be written to the file
        self._hand = b""

    def attach(self) -> None:
        """Use the file that the store has open. Raises lmdb.Error."""
        self._noted = self._store.versions
        self._kept.clear()
        if self._database is None:
            self._database = self._store.environment.open_db(self._id)

    def detach(self) -> None:
        """Note that the file is closed."""
        self._database = None

    def __len__(self) -> int:
        spare = 0 if self._spare is None else len(self._spare)
        try:
            with self._begin(self._database) as transaction:
                return spare + int(transaction.stat(self._database)["entries"])
        except lmdb.Error:  # closed, as when a worker that has drained reports its counters
            return spare

    def pages(self, transaction: lmdb.Transaction) -> int:
        """Return the pages of the file that the table takes."""
        if self._database is None:
            return 0
        found = transaction.stat(self._database)
        return int(found["leaf_pages"] + found["branch_pages"] + found["overflow_pages"])

    def bring_back(self, now: float) -> None:
        """Write some of the entries kept in memory to the file, which can be written again."""
        if self._spare is None:
            return
        for key, entry in self._spare.scan(now, limit=_MAX_BATCH).entries:
            self.set(key, entry.value, entry.expires - now, now)
        self._spare.reap(now, _MAX_BATCH)
        if not len(self._spare):
            self._spare = None

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
        """Return the live entry, and the number of the last transaction that it is as of."""
        try:
            transaction = self._begin(self._database)
            record = transaction.get(key)
            snapshot = transaction.id()
            transaction.abort()
        except lmdb.Error as error:
            self._store.failed(error, now)
            return self._spared(key, now), 0
        spared = None if self._spare is None else self._spare.get(key, now)
        if spared is not None or record is None:
            return spared, snapshot
        expires = _unpack_head(record)[0]
        return (Entry(record[_HEAD_SIZE:], expires) if expires > now else None), snapshot

    def _spared(self, key: bytes, now: float) -> Entry | None:
        return None if self._spare is None else self._spare.get(key, now)

    def _keep(self, key: bytes, entry: Entry, snapshot: int) -> None:
        group = group_of(key)
        number = self._noted[group]
        if self._spare is not None or number > snapshot:
            return  # a newer write has begun, or was kept in memory: the entry read may be outdated
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (group, number, entry)

    def set(self, key: bytes, value: bytes, ttl: float, now: float, merge: Merge | None = None) -> bytes:
        check_entry(key, value)
        rule = merge or self.merge
        offered = Entry(value, now + ttl)
        spared = self._spared(key, now)
        if self._spare is not None and spared is not None:
            offered = merged(spared, offered, rule)
            self._spare.delete(key, now)
        try:
            stored = self._written(key, offered, now, rule)
        except lmdb.MapFullError as error:
            stored = self._written_at_last(key, offered, now, rule, error)
        except lmdb.Error as error:
            self._refused(error, now)
            stored = self._saved(key, offered, now, rule)
        return stored

    def _written(self, key: bytes, offered: Entry, now: float, rule: Merge | None) -> bytes:
        with self._begin(self._database, write=True) as transaction:
            record = transaction.get(key)
            known = None if record is None else Entry(record[_HEAD_SIZE:], _unpack_head(record)[0])
            live = known is not None and known.expires > now
            entry = offered if known is None or not live else merged(known, offered, rule)
            self._put(transaction, key, entry, now, old=record, live=live)
            self._store.journal.append(transaction, self._id, "set", key, entry.value, now)
        self._store.worked(now)
        return entry.value

    def _written_at_last(
        self, key: bytes, offered: Entry, now: float, rule: Merge | None, error: lmdb.Error
    ) -> bytes:
        """Retry a write that found the map full, if there is hope."""
        try:
            if self._store.make_room(now):
                return self._written(key, offered, now, rule)
        except lmdb.Error as again:
            error = again
        self._refused(error, now)
        return self._saved(key, offered, now, rule)

    def _saved(self, key: bytes, offered: Entry, now: float, rule: Merge | None) -> bytes:
        """Keep the entry in the memory of this process, because the file cannot be written."""
        live = self.get(key, now)
        entry = offered if live is None else merged(live, offered, rule)
        if self._spare is None:
            self._spare = MemoryTable(self.name, min(self.size, _MOST_SPARE))
        self._kept.pop(key, None)
        return self._spare.set(key, entry.value, entry.expires - now, now)

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
            entry = self.get(key, now)
            if entry is None:
                return False
            self._saved(key, Entry(entry.value, now + ttl), now, None)
        return True

    def delete(self, key: bytes, now: float) -> bool:
        check_entry(key)
        spared = self._spare is not None and self._spare.delete(key, now)
        try:
            with self._begin(self._database, write=True) as transaction:
                self._note(transaction, key)
                record = transaction.pop(key)
                if record is None or _unpack_head(record)[0] <= now:
                    return spared
                self._store.journal.append(transaction, self._id, "delete", key, b"", now)
        except lmdb.Error as error:
            self._refused(error, now)
        return True

    def add(self, key: bytes, amount: int, ttl: float, now: float) -> Count:
        check_entry(key)
        try:
            if self._spare is not None and (spared := self._spare.get(key, now)) is not None:
                self._written(key, spared, now, larger_count)
                self._spare.delete(key, now)
            return self._counted(key, amount, ttl, now)
        except lmdb.Error as error:
            self._refused(error, now)
        return self._counted_apart(key, amount, ttl, now)

    def _counted(self, key: bytes, amount: int, ttl: float, now: float) -> Count:
        with self._begin(self._database, write=True) as transaction:
            record = transaction.get(key)
            expires = 0.0 if record is None else _unpack_head(record)[0]
            live = record is not None and expires > now
            before = int(record[_HEAD_SIZE:]) if record is not None and live else 0
            count = Count(before + amount, expires if live else now + ttl)
            entry = Entry(b"%d" % count.total, count.expires)
            self._put(transaction, key, entry, now, old=record, live=live)
            self._store.journal.append(transaction, self._id, "set", key, entry.value, now)
        self._store.worked(now)
        return count

    def _counted_apart(self, key: bytes, amount: int, ttl: float, now: float) -> Count:
        """Count in the memory of this process, because the file cannot be written."""
        live = self.get(key, now)
        count = Count(amount, now + ttl) if live is None else Count(int(live.value) + amount, live.expires)
        self._saved(key, Entry(b"%d" % count.total, count.expires), now, None)
        return count

    def add_exactly(self, key: bytes, amount: int, ttl: float, now: float, done: Counted) -> None:
        done(self.add(key, amount, ttl, now))

    def take_exactly(
        self, key: bytes, allowance: Allowance, least: int, want: int, now: float, done: Granted
    ) -> None:
        done(take_from(self, key, allowance, least, want, now))

    def scan(
        self, now: float, *, prefix: bytes = b"", limit: int = 1000, cursor: bytes | None = None
    ) -> Page:
        try:
            return self._scan(now, prefix, limit, cursor)
        except lmdb.Error as error:
            self._store.failed(error, now)
        if self._spare is None:
            return Page([], None)
        return self._spare.scan(now, prefix=prefix, limit=limit, cursor=cursor)

    def _scan(self, now: float, prefix: bytes, limit: int, cursor: bytes | None) -> Page:
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
        """Drop the expired ones of the next `budget` entries. Raises lmdb.Error."""
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
            surplus = entries + 1 - self.size
            if surplus > 0:
                self._make_room(transaction, surplus, now)
            if self._store.crowded(transaction, now):
                self._store.evict(transaction, now)
        self._note(transaction, key)
        transaction.put(key, _HEAD.pack(entry.expires, now) + entry.value)

    def evict(self, transaction: lmdb.Transaction, now: float) -> None:
        """Make room in a file that is nearly full, within the transaction of any table."""
        self._make_room(transaction, _MAX_BATCH, now)

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
        transaction.delete(key, db=self._database)
        self._store.journal.append(transaction, self._id, kind, key, b"", now)

    def _note(self, transaction: lmdb.Transaction, key: bytes) -> None:
        """Announce that copies of `key` in other processes are outdated once `transaction` is committed."""
        self._noted[group_of(key)] = transaction.id()

    def _next(self, transaction: lmdb.Transaction, count: int) -> list[tuple[bytes, bytes]]:
        """Return the next `count` records from the hand on, round the end, none twice."""
        count = min(count, transaction.stat(self._database)["entries"])
        cursor = transaction.cursor(self._database)
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
