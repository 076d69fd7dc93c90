"""Requests that wait for another one's fetch: in this worker, and for the lease that another worker holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import lmdb

from adc.cache.collapse import Outcome, Role
from adc.cache.lease import Busy, Lease, LeaseTable
from adc.proxy.caching.source import Source

if TYPE_CHECKING:
    import asyncio

    from adc.proxy.caching.fetch import Fetch
    from adc.proxy.caching.store import SharedStore
    from adc.proxy.exchange import Exchange

LEASE_SECONDS = 20.0
"""How long other workers wait for a fetch that does not come to an end; renewed while content arrives."""

POLL = 0.005
"""Seconds between two looks at the counter of released leases."""

_UNSHARED = frozenset(
    {
        b"authorization",
        b"cache-control",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"pragma",
        b"range",
    }
)
"""A request with one of these wants an answer of its own: it neither leads others nor follows."""


class Waiting(Source):
    """An exchange that waits for another one's fetch of the same key."""

    __slots__ = ("_again", "key", "store")

    def __init__(
        self,
        exchange: Exchange,
        store: SharedStore,
        key: bytes,
        again: Callable[[Exchange, bytes, Role], None],
    ) -> None:
        super().__init__(exchange)
        self.store = store
        self.key = key
        self._again = again

    def wake(self, role: Role) -> None:
        """Go on as `role` (FOLLOW: look in the store again), not before the caller is done."""
        self.store.loop.call_soon(self._wake, role)

    def _wake(self, role: Role) -> None:
        if not self.over:
            self.finish()
            self.exchange.attempt = None
            self._again(self.exchange, self.key, role)
        elif role is Role.LEAD:
            finish_flight(self.store, self.key, Outcome.FAILED)
        elif role is Role.ALONE:
            passed(self.store, self.key)

    def left(self) -> None:
        self.store.flights.leave(self.key, self)


def may_share(exchange: Exchange) -> bool:
    """Whether the exchange may lead others or follow one."""
    request = exchange.request
    return request.method == "GET" and _UNSHARED.isdisjoint(request.headers.index)


def finish_flight(store: SharedStore, key: bytes, outcome: Outcome) -> None:
    """The leader of `key` is done: wake whom that lets go."""
    for waiting, role in store.flights.finished(key, outcome, time.monotonic()):
        waiting.wake(role)


def passed(store: SharedStore, key: bytes) -> None:
    """One that was let go alone is done: wake the next."""
    for waiting, role in store.flights.passed(key):
        waiting.wake(role)


class Leases:
    """The leases of a store, and this worker's fetches that wait for one that another worker has.

    A broken index costs the collapsing between workers and nothing else.
    """

    def __init__(self, table: LeaseTable, loop: asyncio.AbstractEventLoop) -> None:
        self._table = table
        self._loop = loop
        self._waiting: dict[Fetch, float] = {}
        self._seen = 0

    def acquire(self, key: bytes) -> Lease | Busy | None:
        """The lease of `key`, who has it, or None to do without."""
        try:
            if not self._waiting:  # before the look, so that no release between the two is missed
                self._seen = self._table.changes()
            return self._table.acquire(key, time.monotonic(), LEASE_SECONDS)
        except (lmdb.Error, ValueError):
            return None

    def renew(self, lease: Lease) -> None:
        """Hold on to it."""
        try:
            self._table.renew(lease, time.monotonic(), LEASE_SECONDS)
        except (lmdb.Error, ValueError):
            return

    def release(self, lease: Lease, pass_until: float | None = None) -> None:
        """Give it back; `pass_until` as in LeaseTable."""
        try:
            self._table.release(lease, pass_until)
        except (lmdb.Error, ValueError):
            return

    def wait(self, fetch: Fetch, busy: Busy) -> None:
        """Call `fetch.lease_may_be_free` when that may be so."""
        if not self._waiting:
            self._loop.call_later(POLL, self._poll)
        self._waiting[fetch] = busy.until

    def forget(self, fetch: Fetch) -> None:
        """It does not wait any more."""
        self._waiting.pop(fetch, None)

    def _poll(self) -> None:
        now = time.monotonic()
        try:
            changes = self._table.changes()
        except ValueError:  # the store was closed
            changes = -1
        due = [fetch for fetch, until in self._waiting.items() if changes != self._seen or until <= now]
        self._seen = changes
        for fetch in due:
            self._waiting.pop(fetch, None)
        for fetch in due:
            fetch.lease_may_be_free()
        if self._waiting:
            self._loop.call_later(POLL, self._poll)
