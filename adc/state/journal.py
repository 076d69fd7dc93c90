"""Notification of changes among the processes that share a local file.

LMDB has no notifications. So a process that watches a table leaves a lease in the file; while there is one, every
change of that table is also appended to a bounded journal, which watchers read at each tick.
"""

from __future__ import annotations

import contextlib
import struct

import lmdb

from adc.state.interface import Cancel, Change, ChangeKind, Watcher

KEPT = 2_000
LEASE = 5.0

_KINDS: tuple[ChangeKind, ...] = ("set", "delete", "expired", "evicted")
_HEAD = struct.Struct(">BHH")
_SEQUENCE = struct.Struct(">Q")
_TIME = struct.Struct(">d")


class Journal:
    """One process's view of the journal: what it watches, and how far it has read."""

    def __init__(self) -> None:
        self._environment: lmdb.Environment | None = None
        self._leases: lmdb._Database | None = None
        self._records: lmdb._Database | None = None
        self._watchers: dict[bytes, list[Watcher]] = {}
        self._leased_until = 0.0
        self._read = 0

    def attach(self, environment: lmdb.Environment) -> None:
        """Use the file that was opened, from its end on. Raises lmdb.Error."""
        self._leases, self._records = environment.open_db(b"leases"), environment.open_db(b"journal")
        with environment.begin(db=self._records) as transaction:
            self._read = _last(transaction.cursor())
        self._environment = environment
        self._leased_until = 0.0

    def pages(self, transaction: lmdb.Transaction) -> int:
        """Return the pages of the file that records take."""
        found = transaction.stat(self._records)
        pages: int = found["leaf_pages"] + found["branch_pages"] + found["overflow_pages"]
        return pages

    def try_to_write(self) -> None:
        """Raise lmdb.Error if the file cannot be written."""
        if self._environment is not None:
            with self._environment.begin(write=True, db=self._leases) as transaction:
                transaction.put(b"(trial)", _TIME.pack(0.0))

    def watch(self, table: bytes, callback: Watcher) -> Cancel:
        """Call `callback` for changes to `table` from the next `deliver` on."""
        if not self._watchers and self._environment is not None:
            with contextlib.suppress(lmdb.Error), self._environment.begin(db=self._records) as transaction:
                self._read = _last(transaction.cursor())
        self._watchers.setdefault(table, []).append(callback)
        self._leased_until = 0.0

        def cancel() -> None:
            self._watchers[table].remove(callback)
            if not self._watchers[table]:
                del self._watchers[table]

        return cancel

    def append(
        self,
        transaction: lmdb.Transaction,
        table: bytes,
        kind: ChangeKind,
        key: bytes,
        value: bytes,
        now: float,
    ) -> None:
        """Record one change inside the transaction that makes it, if any process watches the table."""
        lease = transaction.get(table, db=self._leases)
        if lease is None or _TIME.unpack(lease)[0] < now:
            return
        cursor = transaction.cursor(db=self._records)
        sequence = _last(cursor) + 1
        head = _HEAD.pack(_KINDS.index(kind), len(table), len(key))
        transaction.put(_SEQUENCE.pack(sequence), head + table + key + value, db=self._records, append=True)
        for _ in range(2):  # two for each that comes: a journal that was longer becomes shorter
            if cursor.first() and _SEQUENCE.unpack(cursor.key())[0] <= sequence - KEPT:
                cursor.delete()

    def deliver(self, now: float) -> None:
        """Renew this process's leases, and pass the changes recorded since the last call to its watchers."""
        if not self._watchers or self._environment is None:
            return
        if self._leased_until - now < LEASE / 2:
            self._leased_until = now + LEASE
            with self._environment.begin(write=True, db=self._leases) as transaction:
                for table in self._watchers:
                    transaction.put(table, _TIME.pack(self._leased_until))
        for table, change in self._unread(self._environment):
            for watcher in tuple(self._watchers.get(table, ())):
                watcher(change)

    def _unread(self, environment: lmdb.Environment) -> list[tuple[bytes, Change]]:
        found = []
        with environment.begin(db=self._records) as transaction:
            cursor = transaction.cursor()
            if cursor.set_range(_SEQUENCE.pack(self._read + 1)):
                for sequence, record in cursor:
                    self._read = _SEQUENCE.unpack(sequence)[0]
                    found.append(_decode(record))
        return found


def _last(cursor: lmdb.Cursor) -> int:
    sequence: int = _SEQUENCE.unpack(cursor.key())[0] if cursor.last() else 0
    return sequence


def _decode(record: bytes) -> tuple[bytes, Change]:
    kind, table_length, key_length = _HEAD.unpack_from(record)
    start = _HEAD.size
    table = record[start : start + table_length]
    start += table_length
    key = record[start : start + key_length]
    return table, Change(_KINDS[kind], key, record[start + key_length :])
