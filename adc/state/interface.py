"""The interface of every backend: a store of named tables, bytes to bytes, whose entries expire.

`now` in this room is wall-clock time in seconds (`time.time()`), because entries are shared by processes and machines
and survive restarts. A time to live (`ttl`) is in seconds.

No method of `Table` waits: memory and local answer at once; redis answers from what this node knows and sends writes
in the background. `lookup` returns UNKNOWN if only other machines may have the entry, and `fetch` requests it from
them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, Literal, NamedTuple, Protocol

from adc.state.allowance import Allowance, Grant, Granted

MAX_KEY_BYTES = 255
MAX_VALUE_BYTES = 1024


class Entry(NamedTuple):
    """A live entry: its value, and the wall-clock time at which it expires."""

    value: bytes
    expires: float


class Unknown(Enum):
    """The type of UNKNOWN: this node does not know if the entry exists."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


class Count(NamedTuple):
    """A counter after an addition, and the wall-clock time at which its window ends."""

    total: int
    expires: float


ChangeKind = Literal["set", "delete", "expired", "evicted"]


class Change(NamedTuple):
    """A change that a watcher receives. `value` is empty unless `kind` is "set"."""

    kind: ChangeKind
    key: bytes
    value: bytes


class Page(NamedTuple):
    """One slice of a scan, in key order. `cursor` continues it; None when nothing is left."""

    entries: list[tuple[bytes, Entry]]
    cursor: bytes | None


class Status(NamedTuple):
    """`degraded` is True while the store serves only local data; `reason` is the cause, `since` (wall) the
    beginning."""

    degraded: bool = False
    reason: str = ""
    since: float = 0.0


class EntryTooLargeError(ValueError):
    """A key over MAX_KEY_BYTES (or empty), or a value over MAX_VALUE_BYTES."""


class TableStats:
    """Plain counters of one table, of this process."""

    __slots__ = ("created", "dropped", "evicted", "expired")

    def __init__(self) -> None:
        self.created = 0
        self.expired = 0
        self.evicted = 0
        self.dropped = 0


Merge = Callable[[bytes, bytes], bytes]
"""Chooses between two values of one key. Must not depend on their order, so that all nodes agree."""

Watcher = Callable[[Change], None]
Cancel = Callable[[], None]
Fetched = Callable[[Entry | None], None]
Claimed = Callable[[Entry], None]
Counted = Callable[[Count | None], None]


class Table(Protocol):
    """One named map. At most `size` entries; beyond it the least recently written ones are evicted
    (approximately)."""

    @property
    def name(self) -> str: ...

    @property
    def stats(self) -> TableStats: ...

    def __len__(self) -> int:
        """Return the number of stored entries, including expired ones that were not reaped yet."""

    def get(self, key: bytes, now: float) -> Entry | None:
        """Return the live entry of `key` as far as this node knows."""

    def lookup(self, key: bytes, now: float) -> Entry | Unknown | None:
        """Return what `get` does, but UNKNOWN if another machine may have the entry: request it with `fetch`. That is
        cheaper for an entry that this process has looked up lately and that has not changed since."""

    def fetch(self, key: bytes, now: float, done: Fetched) -> None:
        """Call `done` once, with the entry or None, at the latest when the store's fetch limit has passed."""

    def set(self, key: bytes, value: bytes, ttl: float, now: float, merge: Merge | None = None) -> bytes:
        """Store `value` for `ttl` seconds. A table with a merge rule stores the result of the rule for the live value
        and this one, in one atomic step; a live value that stands keeps the later of both expiries. `merge` is the
        rule of this write only: it is called with the live value first, and may depend on that order. Return the
        stored value. Raises EntryTooLargeError."""

    def claim(self, key: bytes, value: bytes, ttl: float, now: float, done: Claimed) -> None:
        """Store `value` unless the key has a live entry, on other machines too as far as they respond within the
        store's fetch limit. Call `done` once, with the entry that stands."""

    def touch(self, key: bytes, ttl: float, now: float) -> bool:
        """Let a live entry expire `ttl` seconds from `now`. False if there is none."""

    def delete(self, key: bytes, now: float) -> bool:
        """Remove the entry. False if there was no live one."""

    def add(self, key: bytes, amount: int, ttl: float, now: float) -> Count:
        """Add to a counter, atomically among the processes of this machine, and return it. A counter is created at 0
        with `ttl`, which later calls do not extend: one window. Its value reads as decimal text. Raises ValueError
        if the value is no number."""

    def add_exactly(self, key: bytes, amount: int, ttl: float, now: float, done: Counted) -> None:
        """Add like `add`, atomically among all machines. Call `done` once, with the counter, or with None if the other
        machines did not confirm it within the store's fetch limit: then the amount may have been added or not."""

    def take_exactly(
        self, key: bytes, allowance: Allowance, least: int, want: int, now: float, done: Granted
    ) -> None:
        """Take from an allowance that is shared by all machines; `key` is for nothing else. Call `done` once, with the
        grant, or with None if the other machines did not confirm it in time: then units may have been taken or not."""

    def scan(
        self, now: float, *, prefix: bytes = b"", limit: int = 1000, cursor: bytes | None = None
    ) -> Page:
        """Return live entries whose key begins with `prefix`, in key order, after `cursor`."""

    def watch(self, callback: Watcher) -> Cancel:
        """Call `callback` for each change, including changes by other processes and nodes (within one interval).
        Return the function that cancels this."""


class Store(Protocol):
    """A backend. `start` and `close` frame its life; `tick` is called every 100 ms or so and never blocks
    long."""

    def table(self, name: str, size: int, merge: Merge | None = None) -> Table:
        """Return the table called `name`, opened on first use; a later call may change `size` and `merge`."""

    def status(self) -> Status:
        """Return the state of the backend."""

    def tick(self, now: float, budget: int = 2000) -> int:
        """Drop expired entries, looking at about `budget` of them (one a table at least); deliver changes to
        watchers. Returns how many were dropped."""

    def start(self) -> None:
        """Begin to connect. Never fails because a peer is away."""

    async def close(self) -> None:
        """Write out what is queued, as far as one second allows, and release all resources."""


def check_entry(key: bytes, value: bytes = b"") -> None:
    """Raise EntryTooLargeError unless `key` and `value` fit any backend."""
    if not 0 < len(key) <= MAX_KEY_BYTES:
        raise EntryTooLargeError(f"a key has 1 to {MAX_KEY_BYTES} bytes, this one {len(key)}")
    if len(value) > MAX_VALUE_BYTES:
        raise EntryTooLargeError(f"a value has at most {MAX_VALUE_BYTES} bytes, this one {len(value)}")


def merged(live: Entry, offered: Entry, merge: Merge | None) -> Entry:
    """Return the entry that stands after `offered` is written over `live`."""
    if merge is None:
        return offered
    value = merge(live.value, offered.value)
    expires = max(live.expires, offered.expires) if value == live.value else offered.expires
    return Entry(value, expires)


def first_stands(live: bytes, offered: bytes) -> bytes:
    """Return the live value: a merge rule of one write."""
    return live


def larger_count(live: bytes, offered: bytes) -> bytes:
    """Return the larger of two counters: a merge rule of one write."""
    return max(live, offered, key=int)


def take_from(table: Table, key: bytes, allowance: Allowance, least: int, want: int, now: float) -> Grant:
    """Take from an allowance that the processes of this machine share, atomically among them."""
    live = table.lookup(key, now)
    grant, state = allowance.take(live.value if isinstance(live, Entry) else b"", least, want, now)
    if not grant.granted:
        return grant  # nothing to write

    def taken(live: bytes, offered: bytes) -> bytes:
        nonlocal grant
        grant, state = allowance.take(live, least, want, now)
        return state if grant.granted else live

    table.set(key, state, allowance.ttl, now, taken)
    return grant
