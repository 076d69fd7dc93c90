"""One table shared through Redis, as this node knows it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from adc.state.allowance import Allowance, Granted
from adc.state.changes import Write, WriteQueue
from adc.state.interface import (
    UNKNOWN,
    Cancel,
    Claimed,
    Count,
    Counted,
    Entry,
    Fetched,
    Merge,
    Page,
    Table,
    TableStats,
    Unknown,
    Watcher,
    check_entry,
    first_stands,
    larger_count,
)

_SAME_EXPIRY = 0.1
"""Seconds by which two expiries of one write may differ after their ways to this node."""


class Addition(NamedTuple):
    """An amount to add to a counter in Redis; `ttl` is the length of the window that it may begin."""

    table: RedisTable
    key: bytes
    amount: int
    ttl: float


class Take(NamedTuple):
    """Units to take from an allowance in Redis."""

    table: RedisTable
    key: bytes
    allowance: Allowance
    least: int
    want: int


class Remote(Protocol):
    """Redis as a table uses it: questions about entries that this node does not know, and changes to send."""

    writes: WriteQueue

    def asks(self, now: float) -> bool:
        """True if Redis can be asked for an entry that this node does not know."""

    def fetch(self, table: RedisTable, key: bytes, now: float, done: Fetched) -> None:
        """Ask for an entry and call `done` with it."""

    def claim(self, table: RedisTable, key: bytes, offer: Entry, now: float, done: Claimed) -> None:
        """Ask for an entry, and store `offer` if there is none; call `done` with the entry that stands."""

    def add_exactly(self, addition: Addition, now: float, done: Counted) -> None:
        """Add in Redis and call `done` with the count there."""

    def take_exactly(self, take: Take, done: Granted) -> None:
        """Take in Redis and call `done` with the grant, or with None if Redis did not confirm it."""


class RedisTable:
    """A `Table` that answers from `known`, a table of memory or of the local file, and sends changes in the
    background. Changes by other nodes are written into `known` when they arrive."""

    def __init__(self, remote: Remote, known: Table, merge: Merge | None, size: int) -> None:
        self.known = known
        self.name = known.name
        self.merge = merge
        self.size = size
        self._remote = remote

    @property
    def stats(self) -> TableStats:
        return self.known.stats

    def __len__(self) -> int:
        return len(self.known)

    def get(self, key: bytes, now: float) -> Entry | None:
        return self.known.get(key, now)

    def lookup(self, key: bytes, now: float) -> Entry | Unknown | None:
        entry = self.known.lookup(key, now)
        return entry if entry is not None or not self._remote.asks(now) else UNKNOWN

    def fetch(self, key: bytes, now: float, done: Fetched) -> None:
        self._remote.fetch(self, key, now, done)

    def claim(self, key: bytes, value: bytes, ttl: float, now: float, done: Claimed) -> None:
        self._remote.claim(self, key, Entry(value, now + ttl), now, done)

    def claimed(self, key: bytes, offered: Entry, now: float) -> Entry:
        """Settle a claim on this machine: return the entry that stands, `offered` if there was none."""
        stored = self.set(key, offered.value, offered.expires - now, now, first_stands)
        return self.known.get(key, now) or Entry(stored, offered.expires)

    def set(self, key: bytes, value: bytes, ttl: float, now: float, merge: Merge | None = None) -> bytes:
        stored = self.known.set(key, value, ttl, now, merge)
        expires = now + ttl
        if stored != value:
            standing = self.known.get(key, now)
            expires = expires if standing is None else standing.expires
        self._remote.writes.add(Write("put", self.name, key, stored, expires))
        return stored

    def touch(self, key: bytes, ttl: float, now: float) -> bool:
        if not self.known.touch(key, ttl, now):
            return False
        self._remote.writes.add(Write("touch", self.name, key, b"", now + ttl))
        return True

    def delete(self, key: bytes, now: float) -> bool:
        check_entry(key)
        self._remote.writes.add(Write("drop", self.name, key))
        return self.known.delete(key, now)

    def add(self, key: bytes, amount: int, ttl: float, now: float) -> Count:
        count = self.known.add(key, amount, ttl, now)
        self._remote.writes.add(Write("count", self.name, key, b"%d" % count.total, now + ttl, amount))
        return count

    def add_exactly(self, key: bytes, amount: int, ttl: float, now: float, done: Counted) -> None:
        check_entry(key)
        known = self.known.get(key, now)
        if known is not None:
            int(known.value)
        self._remote.add_exactly(Addition(self, key, amount, ttl), now, done)

    def take_exactly(
        self, key: bytes, allowance: Allowance, least: int, want: int, now: float, done: Granted
    ) -> None:
        check_entry(key)
        self._remote.take_exactly(Take(self, key, allowance, least, want), done)

    def scan(
        self, now: float, *, prefix: bytes = b"", limit: int = 1000, cursor: bytes | None = None
    ) -> Page:
        return self.known.scan(now, prefix=prefix, limit=limit, cursor=cursor)

    def watch(self, callback: Watcher) -> Cancel:
        return self.known.watch(callback)

    def apply(self, write: Write, now: float) -> None:
        """Apply another node's change. If the merge rule yields another value than the one received, publish it, so
        that all nodes converge."""
        if write.kind == "drop":
            self.known.delete(write.key, now)
        elif write.kind == "touch":
            self.known.touch(write.key, write.expires - now, now)
        elif write.kind == "put" and write.expires > now:
            self.learn(write.key, Entry(write.value, write.expires), now)

    def learn(self, key: bytes, entry: Entry, now: float) -> Entry:
        """Apply an entry that Redis or another node holds; return the resulting entry. A merged entry keeps the later
        of both expiries: a node that missed a refresh must not end an entry that another node prolonged."""
        mine = self.known.get(key, now)
        if (
            mine is not None
            and mine.value == entry.value
            and abs(mine.expires - entry.expires) < _SAME_EXPIRY
        ):
            return mine
        expires = entry.expires
        if mine is not None and self.merge is not None:
            expires = max(mine.expires, expires)
        stored = self.known.set(key, entry.value, expires - now, now)
        if stored != entry.value or expires - entry.expires > _SAME_EXPIRY:
            self._remote.writes.add(Write("put", self.name, key, stored, expires))
        return Entry(stored, expires)

    def counted(self, key: bytes, total: int, expires: float, now: float) -> None:
        """Count at least to `total`, as Redis has for all nodes. A window that is known keeps its end."""
        mine = self.known.get(key, now)
        expires = expires if mine is None else mine.expires
        total += self._remote.writes.counting(self.name, key)
        if expires > now:
            self.known.set(key, b"%d" % total, expires - now, now, larger_count)
