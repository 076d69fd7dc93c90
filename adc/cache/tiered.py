"""Memory over disk as one store, kept in step between workers by the purge log."""

from __future__ import annotations

from collections.abc import Generator

import lmdb

from adc.cache.disk import DiskBody, DiskStore
from adc.cache.entry import Entry
from adc.cache.files import CHECKED_BYTES, FileBody, FileWriter
from adc.cache.index import record_id
from adc.cache.memory import MemoryStore
from adc.cache.purge import Purge, Scope, finish
from adc.cache.purge_log import PurgeLog
from adc.cache.recent_purges import RecentPurges
from adc.cache.stats import Stats

_MOST_MIXED = 4096


class TieredStore:
    """The stores that a route's cache reads and writes. `disk` and `log` may be None: one worker, memory only.

    A reader calls `get` first, a look-up in memory; if that does not answer the request, `find`, which also reads the
    index on disk; and then `load`s the content of the chosen entry. `worker` is this worker's number.
    """

    def __init__(
        self,
        memory: MemoryStore,
        disk: DiskStore | None,
        log: PurgeLog | None,
        stats: Stats,
        max_object: int,
        worker: int = 0,
    ) -> None:
        self.memory = memory
        self.disk = disk
        self.stats = stats
        self.max_object = max_object
        self._log = log
        self._purges: PurgeLog | RecentPurges = RecentPurges() if log is None else log
        self._worker = worker
        self._mixed: set[int] = set()  # hashes of keys

    def get(self, key: bytes) -> tuple[Entry, ...]:
        """Return the entries in memory, oldest first, after applying the purges of other workers.

        Return none for a key whose entries vary on different fields: memory may hold only one of the matching entries.
        """
        if self._log is not None and self._log.behind():
            self._catch_up()
        if self._mixed and hash(key) in self._mixed:
            return ()
        return self.memory.get(key)

    def find(self, key: bytes, now: float) -> list[Entry]:
        """Return the entries in memory and on disk; of two for the same variant, the one that is fresh for longer.

        When another worker stores a newer entry, copies in memory that could still be served are dropped: any left is
        stale. Age does not decide, because a 304 may carry a higher Age than the 200 did.
        """
        if self._log is not None and self._log.behind():
            self._catch_up()
        found = {record_id(entry): entry for entry in self.memory.get(key)}
        if self.disk is None:
            return list(found.values())
        self._look_if_mixed(key, self.disk)
        for entry in self.disk.get(key, now):
            place = record_id(entry)
            known = found.get(place)
            if known is None or entry.invalid or entry.terms.freshness(now) > known.terms.freshness(now):
                found[place] = entry
        return sorted(found.values(), key=_date)

    def catch_up(self) -> None:
        """Apply purges of other workers now: a worker without requests would otherwise keep purged entries."""
        if self._log is not None and self._log.behind():
            self._catch_up()

    def load(self, entry: Entry) -> Entry | None:
        """Return `entry` with content that can be sent: bytes, or a `FileBody` that the caller closes.

        Small content from disk is kept in memory from now on. None if the content is missing.
        """
        if not isinstance(entry.body, DiskBody):
            self.stats.memory_hits += 1
            return entry
        body = entry.body.open(entry.length)
        if body is None:
            return None
        self.stats.disk_hits += 1
        return self._promoted(entry, body)

    def mark(self) -> int:
        """Return the number of purges so far. A fetch reads it when it starts and passes it when its response is
        stored."""
        return self._purges.latest()

    def purged(self, entry: Entry, mark: int) -> bool:
        """True if a purge since `mark` covers `entry`, or may cover it."""
        if self._purges.latest() == mark:
            return False
        try:
            purges = self._purges.since(mark)
        except lmdb.Error:
            return True
        if purges is None:
            return True
        real = [purge for purge in purges if purge.scope is not Scope.REPLACED]
        return any(purge.covers(entry.key, entry.tags) for purge in real)

    def put(self, entry: Entry, mark: int, now: float) -> Entry | None:
        """Store an entry whose body is bytes; None if that failed or a purge since `mark` covers it."""
        on_disk = None if self.disk is None else self.disk.put(entry, now)
        if not self.memory.put(entry) and on_disk is None:
            return None
        return self._settled(entry, mark, replaced=on_disk is not None and on_disk.replaced)

    def put_file(self, entry: Entry, file: FileWriter, mark: int, now: float) -> Entry | None:
        """Store an entry whose content is in a file of the disk tier; see `put`."""
        stored = None if self.disk is None else self.disk.commit(file, entry, now)
        self.memory.remove(entry)
        if stored is None:
            return None
        return self._settled(entry.filled(stored.body, entry.length), mark, stored.replaced)

    def update(self, entry: Entry, mark: int, now: float, outdates: bool) -> None:
        """Replace the head of a stored entry after its validation; the content stays in place.

        `outdates` is True if the entry could still be served before, so that other workers must drop their copies.
        """
        if isinstance(entry.body, bytes):
            self.memory.put(entry)
        if self.disk is not None:
            self.disk.update(entry, now)
        self._settled(entry, mark, replaced=outdates)

    def remove(self, entry: Entry) -> None:
        """Drop one variant everywhere."""
        self.memory.remove(entry)
        if self.disk is not None:
            self.disk.remove(entry)
        self._tell(Purge(Scope.REPLACED, entry.key, by=self._worker))

    def purge(self, purge: Purge) -> int:
        """Run `purging` at once, for small purges."""
        return finish(self.purging(purge))

    def purging(self, purge: Purge) -> Generator[None, None, int]:
        """Drop the entries that `purge` covers, or mark them if it is soft, on disk and in every worker's memory.
        Return the number.

        A step takes a few milliseconds. Other workers' entries in memory are not counted. The purge is logged twice:
        before the disk is searched, so that either the search or the log covers a response that is being stored, and
        after it, for entries that were read from disk meanwhile. Raises lmdb.Error.
        """
        self._purges.append(purge)
        count = yield from self.memory.purging(purge)
        if self.disk is not None:
            on_disk = yield from self.disk.purging(purge)
            count = max(count, on_disk)
            self._purges.append(purge)
        self.stats.purged += count
        return count

    def _settled(self, entry: Entry, mark: int, replaced: bool) -> Entry | None:
        """Undo the storing if a purge since `mark` covers it; notify workers with older copies."""
        self.stats.stored += 1
        self.stats.stored_bytes += entry.length
        if self.purged(entry, mark):
            self.remove(entry)
            return None
        mixed = self.disk is not None and self._look_if_mixed(entry.key, self.disk)
        if replaced or mixed:
            self._tell(Purge(Scope.REPLACED, entry.key, by=self._worker))
        return entry

    def _look_if_mixed(self, key: bytes, disk: DiskStore) -> bool:
        mixed = disk.mixed(key)
        if not mixed:
            self._mixed.discard(hash(key))
        elif hash(key) not in self._mixed:
            if len(self._mixed) >= _MOST_MIXED:
                self._mixed.clear()
            self._mixed.add(hash(key))
        return mixed

    def _promoted(self, entry: Entry, body: FileBody) -> Entry:
        if entry.length > min(self.memory.max_object, CHECKED_BYTES):
            return entry.filled(body, entry.length)
        data = body.read_at(0, entry.length)
        body.close()
        whole = entry.filled(data, entry.length)
        self.memory.put(whole)
        return whole

    def _tell(self, purge: Purge) -> None:
        """Append where a failure costs no more than other workers' copies living on to the end of their
        freshness.
        """
        if self._log is None:
            return
        try:
            self._log.append(purge)
        except lmdb.Error as error:
            if self.disk is not None:
                self.disk.failed(error)

    def _catch_up(self) -> None:
        try:
            purges = None if self._log is None else self._log.news()
        except lmdb.Error:
            purges = None
        for purge in [Purge(Scope.ALL)] if purges is None else purges:
            if purge.scope is not Scope.REPLACED or purge.by != self._worker:
                self.memory.catch_up(purge)


def _date(entry: Entry) -> float:
    return entry.date
