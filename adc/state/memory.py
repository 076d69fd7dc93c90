"""Tables in the memory of one process.

cachetools' TTLCache has one time to live for the whole cache and TLRUCache fixes an entry's expiry when it is
written and reads the clock itself; sliding expiry per entry, under a clock that the caller brings, fits
neither, so this is an OrderedDict in order of last write with a heap of due times beside it.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict

from adc.state.allowance import Allowance, Granted
from adc.state.interface import (
    Cancel,
    Change,
    ChangeKind,
    Claimed,
    Count,
    Counted,
    Entry,
    Fetched,
    Merge,
    Page,
    Status,
    TableStats,
    Watcher,
    check_entry,
    first_stands,
    merged,
    take_from,
)
from adc.state.sorted_keys import SortedKeys

_HEAP_SLACK = 64
_LEAST = b"\0"
"""Behind a key it makes the next possible one."""


class MemoryTable:
    """A `Table` in an OrderedDict. One heap record an entry: touching an entry leaves its record where it
    is, and the record is renewed when its time comes, so that a sliding expiry costs nothing. The keys are kept in
    order too, so that a page of a listing costs what is on it, however large the table."""

    def __init__(self, name: str, size: int, merge: Merge | None = None) -> None:
        self.name = name
        self.size = size
        self.merge = merge
        self.stats = TableStats()
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._sorted = SortedKeys()
        self._due: list[tuple[float, bytes]] = []
        self._watchers: list[Watcher] = []

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes, now: float) -> Entry | None:
        entry = self._entries.get(key)
        return entry if entry is not None and entry.expires > now else None

    lookup = get

    def fetch(self, key: bytes, now: float, done: Fetched) -> None:
        done(self.get(key, now))

    def set(self, key: bytes, value: bytes, ttl: float, now: float, merge: Merge | None = None) -> bytes:
        check_entry(key, value)
        live = self.get(key, now)
        offered = Entry(value, now + ttl)
        entry = offered if live is None else merged(live, offered, merge or self.merge)
        self._store(key, entry, new=live is None)
        return entry.value

    def claim(self, key: bytes, value: bytes, ttl: float, now: float, done: Claimed) -> None:
        done(Entry(self.set(key, value, ttl, now, first_stands), now + ttl))

    def touch(self, key: bytes, ttl: float, now: float) -> bool:
        entry = self.get(key, now)
        if entry is None:
            return False
        self._store(key, Entry(entry.value, now + ttl), new=False, notify=False)
        return True

    def delete(self, key: bytes, now: float) -> bool:
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        self._sorted.remove(key)
        if entry.expires <= now:
            return False
        self._notify("delete", key)
        return True

    def add(self, key: bytes, amount: int, ttl: float, now: float) -> Count:
        check_entry(key)
        entry = self.get(key, now)
        total = amount if entry is None else int(entry.value) + amount
        expires = now + ttl if entry is None else entry.expires
        self._store(key, Entry(b"%d" % total, expires), new=entry is None)
        return Count(total, expires)

    def add_exactly(self, key: bytes, amount: int, ttl: float, now: float, done: Counted) -> None:
        done(self.add(key, amount, ttl, now))

    def take_exactly(
        self, key: bytes, allowance: Allowance, least: int, want: int, now: float, done: Granted
    ) -> None:
        done(take_from(self, key, allowance, least, want, now))

    def scan(
        self, now: float, *, prefix: bytes = b"", limit: int = 1000, cursor: bytes | None = None
    ) -> Page:
        start = prefix if cursor is None else max(prefix, cursor + _LEAST)
        found: list[tuple[bytes, Entry]] = []
        for key in self._sorted.since(start):
            if not key.startswith(prefix):
                break
            entry = self.get(key, now)
            if entry is None:
                continue
            if len(found) >= limit:
                return Page(found, found[-1][0] if found else None)
            found.append((key, entry))
        return Page(found, None)

    def watch(self, callback: Watcher) -> Cancel:
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)

    def reap(self, now: float, budget: int) -> int:
        """Drop entries that have expired, looking at no more than `budget` records."""
        dropped = 0
        due = self._due
        while due and due[0][0] <= now and budget > 0:
            budget -= 1
            key = due[0][1]
            entry = self._entries.get(key)
            if entry is None:
                heapq.heappop(due)
            elif entry.expires > now:
                heapq.heapreplace(due, (entry.expires, key))
            else:
                heapq.heappop(due)
                del self._entries[key]
                self._sorted.remove(key)
                dropped += 1
                self.stats.expired += 1
                self._notify("expired", key)
        return dropped

    def _store(self, key: bytes, entry: Entry, *, new: bool, notify: bool = True) -> None:
        entries = self._entries
        old = entries.pop(key, None)
        entries[key] = entry
        if old is None:
            self._sorted.add(key)
        if new:
            self.stats.created += 1
            self.stats.expired += old is not None
        if old is None or entry.expires < old.expires:
            heapq.heappush(self._due, (entry.expires, key))
            if len(self._due) > 2 * len(entries) + _HEAP_SLACK:
                self._due = [(kept.expires, name) for name, kept in entries.items()]
                heapq.heapify(self._due)
        while len(entries) > self.size:
            victim, _ = entries.popitem(last=False)
            self._sorted.remove(victim)
            self.stats.evicted += 1
            self._notify("evicted", victim)
        if notify and self._watchers:
            self._notify("set", key, entry.value)

    def _notify(self, kind: ChangeKind, key: bytes, value: bytes = b"") -> None:
        for watcher in tuple(self._watchers):
            watcher(Change(kind, key, value))


class MemoryStore:
    """A `Store` of one process: for tests, for a single worker, and for the local copy of redis."""

    def __init__(self) -> None:
        self._tables: dict[str, MemoryTable] = {}

    def table(self, name: str, size: int, merge: Merge | None = None) -> MemoryTable:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = MemoryTable(name, size, merge)
        table.size, table.merge = size, merge
        return table

    def status(self) -> Status:
        return Status()

    def tick(self, now: float, budget: int = 2000) -> int:
        share = max(1, budget // max(1, len(self._tables)))
        return sum(table.reap(now, share) for table in self._tables.values())

    def start(self) -> None:
        """No-op: nothing to connect."""

    async def close(self) -> None:
        """No-op: there is nothing to write out, and the tables stay readable."""
