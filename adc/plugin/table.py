"""A shared table as a plugin sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

from adc.state import interface as state
from adc.state.allowance import Allowance, Grant
from adc.state.interface import Count, Entry, Page, Unknown, take_from

Scope = Literal["node", "cluster"]
"""The sharers of a table: the workers of this machine, or all machines that use the same Redis."""

SCOPES: tuple[Scope, ...] = ("node", "cluster")
MOST_ENTRIES = 10_000_000
LONGEST = 366 * 86400.0
MOST_ADDED = 1 << 31
MOST_SCANNED = 1000

ResultT = TypeVar("ResultT")


class NoClusterState(ValueError):
    """A table of scope "cluster", in a configuration whose machines share no store."""


class StateUnavailable(Exception):
    """The other machines did not confirm an addition in time. It may have been counted or not."""


class Table:
    """Keys to values, both bytes, whose entries expire. A table holds at most `size` entries: above it the ones least
    recently written are evicted. Keys have 1 to 255 bytes, values up to 1024: EntryTooLargeError otherwise.

    Every method but `fetch`, `add_exactly` and `take_exactly` returns at once. With scope "cluster" those methods read
    and change this machine's copy; other machines receive a change within `cluster.sync.interval` (100 ms).

    While the store is `degraded`, the methods continue with the local entries and lose nothing that they return, but
    other workers or machines may not see it. Only `add_exactly` and `take_exactly` raise.

    `ttl` is in seconds; `expires` of an entry is a time of `Host.wall`.
    """

    def __init__(
        self, table: state.Table, wall: Callable[[], float], status: Callable[[], state.Status]
    ) -> None:
        self._table = table
        self._wall = wall
        self._status = status

    @property
    def degraded(self) -> bool:
        """True while the store does not work as it should."""
        return self._status().degraded

    @property
    def evicted(self) -> int:
        """The number of live entries that this worker displaced because the table was full."""
        return self._table.stats.evicted

    def __len__(self) -> int:
        """Return the number of entries, including expired ones that were not yet removed."""
        return len(self._table)

    def get(self, key: bytes) -> Entry | None:
        """Return the live entry, as far as this machine knows."""
        found = self._table.lookup(key, self._wall())
        return None if isinstance(found, Unknown) else found

    def set(self, key: bytes, value: bytes, ttl: float) -> None:
        """Store `value` for `ttl` seconds."""
        self._table.set(key, value, _checked_ttl(ttl), self._wall())

    def touch(self, key: bytes, ttl: float) -> bool:
        """Let a live entry expire `ttl` seconds from now. False if there is none."""
        return self._table.touch(key, _checked_ttl(ttl), self._wall())

    def delete(self, key: bytes) -> bool:
        """Remove the entry. False if there was no live one."""
        return self._table.delete(key, self._wall())

    def add(self, key: bytes, amount: int, ttl: float) -> Count:
        """Add to a counter, atomically among the workers of this machine. It begins at 0 and ends `ttl` seconds after
        its first addition; later ones do not prolong it. Raises ValueError if the entry is no counter."""
        _check_amount(amount)
        return self._table.add(key, amount, _checked_ttl(ttl), self._wall())

    def take(self, key: bytes, allowance: Allowance, least: int = 1, want: int = 1) -> Grant:
        """Take units from an allowance, a `Bucket` or a `Window`, atomically among the workers of this machine; the
        `key` is for nothing else. At least `least` units are granted, or none; of `want` units only what leaves enough
        to others."""
        return take_from(self._table, key, allowance, least, want, self._wall())

    def scan(self, *, prefix: bytes = b"", limit: int = MOST_SCANNED, cursor: bytes | None = None) -> Page:
        """Return up to `limit` live entries (1000 at most) whose key begins with `prefix`, in key order, after
        `cursor`. `cursor` of the page continues it and is None at the end."""
        limit = max(1, min(limit, MOST_SCANNED))
        return self._table.scan(self._wall(), prefix=prefix, limit=limit, cursor=cursor)

    async def fetch(self, key: bytes) -> Entry | None:
        """Return the live entry, asking the other machines if this one does not know it. After `state.timeout` the
        result is what this machine knows."""
        now = self._wall()
        found = self._table.lookup(key, now)
        if not isinstance(found, Unknown):
            return found
        answer: asyncio.Future[Entry | None] = asyncio.get_running_loop().create_future()
        self._table.fetch(key, now, partial(_settle, answer))
        return await answer

    async def add_exactly(self, key: bytes, amount: int, ttl: float) -> Count:
        """Add like `add`, but atomically among all machines that share the table, which costs a round trip to Redis.
        Raises StateUnavailable if Redis does not confirm it within `state.timeout`."""
        _check_amount(amount)
        answer: asyncio.Future[Count | None] = asyncio.get_running_loop().create_future()
        self._table.add_exactly(key, amount, _checked_ttl(ttl), self._wall(), partial(_settle, answer))
        count = await answer
        if count is None:
            raise StateUnavailable(f"table {self._table.name}: an addition was not confirmed in time")
        return count

    async def take_exactly(self, key: bytes, allowance: Allowance, least: int = 1, want: int = 1) -> Grant:
        """Take like `take`, but atomically among all machines that share the table. A slow Redis is waited for, up to a
        second. Raises StateUnavailable if Redis does not confirm it."""
        answer: asyncio.Future[Grant | None] = asyncio.get_running_loop().create_future()
        self._table.take_exactly(key, allowance, least, want, self._wall(), partial(_settle, answer))
        grant = await answer
        if grant is None:
            raise StateUnavailable(f"table {self._table.name}: a take was not confirmed in time")
        return grant


def _settle(answer: asyncio.Future[ResultT], result: ResultT) -> None:
    if not answer.done():
        answer.set_result(result)


def _checked_ttl(ttl: float) -> float:
    if not 0 < ttl <= LONGEST:
        raise ValueError(f"a ttl of {ttl} s; allowed: more than 0 and at most {LONGEST:.0f}")
    return ttl


def _check_amount(amount: int) -> None:
    if not -MOST_ADDED <= amount <= MOST_ADDED:
        raise ValueError(f"an amount of {amount}; allowed: -{MOST_ADDED} to {MOST_ADDED}")
