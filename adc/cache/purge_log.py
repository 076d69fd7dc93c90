"""The log of purges that every worker of the machine reads before it serves from its own memory."""

from __future__ import annotations

import lmdb

from adc.cache.environment import Environment
from adc.cache.purge import Purge

KEPT = 4096
KEPT_PAGES = 512
"""Records kept, and pages of the index (4 KB) for them; a worker that is further behind drops everything it holds."""


class PurgeLog:
    """Numbered purges. `append` returns once every later `behind` of every worker sees the record."""

    def __init__(self, environment: Environment) -> None:
        self._env = environment.lmdb
        self._counters = environment.counters
        self._slot = environment.purges
        self._db = self._env.open_db(b"purges")
        # A write transaction, so that no other process appends between the read and the setting of the counter, which
        with self._env.begin(write=True, db=self._db) as txn:
            self.position = self._counters[self._slot] = _last(txn)

    def append(self, purge: Purge) -> int:
        """Add a record; returns its number. Raises lmdb.Error."""
        with self._env.begin(write=True, db=self._db) as txn:
            number = _last(txn) + 1
            txn.put(number.to_bytes(8, "big"), purge.to_bytes(), append=True)
            while self._too_large(txn) and (oldest := _first(txn)) < number:
                txn.delete(oldest.to_bytes(8, "big"))
            # Set while the writer lock is held, so that counters never go back; readers that come
            # before the commit find no record yet and look again.
            self._counters[self._slot] = number
        return number

    def _too_large(self, txn: lmdb.Transaction) -> bool:
        stat = txn.stat(self._db)
        return stat["entries"] > KEPT or stat["leaf_pages"] + stat["overflow_pages"] > KEPT_PAGES

    def latest(self) -> int:
        """Return the number of the newest record."""
        return int(self._counters[self._slot])

    def behind(self) -> bool:
        """True if there are records that `news` has not returned: one read of mapped memory."""
        return bool(self._counters[self._slot] != self.position)

    def news(self) -> list[Purge] | None:
        """Return the records since the last call; None if some of them are no longer kept."""
        found = self.since(self.position)
        if found is not None:
            self.position += len(found)
            return found
        with self._env.begin(db=self._db) as txn:
            self.position = _last(txn)
        return None

    def since(self, position: int) -> list[Purge] | None:
        """Return the records after number `position`; None if some of them are no longer kept."""
        purges: list[Purge] = []
        with self._env.begin(db=self._db) as txn, txn.cursor() as cursor:
            if not cursor.set_range((position + 1).to_bytes(8, "big")):
                return purges
            if int.from_bytes(cursor.key(), "big") != position + 1:
                return None
            purges.extend(Purge.from_bytes(value) for value in cursor.iternext(keys=False))
        return purges


def _last(txn: lmdb.Transaction) -> int:
    with txn.cursor() as cursor:
        return int.from_bytes(cursor.key(), "big") if cursor.last() else 0


def _first(txn: lmdb.Transaction) -> int:
    with txn.cursor() as cursor:
        return int.from_bytes(cursor.key(), "big") if cursor.first() else 0
