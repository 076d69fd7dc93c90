"""Requests that wait for another one's fetch: in this worker, and for the lease that another worker holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

import lmdb

from adc.cache.collapse import HIT_FOR_MISS_SECONDS, Outcome, Role
from adc.cache.directives import request_directives
from adc.cache.lease import Busy, Lease, LeaseTable
from adc.proxy.caching.local_response import LocalResponse

if TYPE_CHECKING:
    import asyncio

    from adc.proxy.caching.fetch import Fetch
    from adc.proxy.caching.store import SharedStore
    from adc.proxy.exchange import Exchange

LEASE_SECONDS = 20.0
"""Time for which other workers wait for a fetch; renewed while content arrives."""

POLL = 0.005
"""Seconds between two looks at the counter of released leases."""

_UNSHARED = frozenset(
    {
        b"authorization",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"range",
    }
)
"""A request with one of these wants an answer of its own: it neither leads others nor follows."""

_UNSHARED_WISHES = frozenset({"no-store", "only-if-cached", "stale-if-error"})
"""The same of directives. Requests that demand a fresh response share one fetch: what comes is fresh for all."""


class Waiting(LocalResponse):
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
    """True if the exchange may lead others or follow one."""
    request = exchange.request
    if request.method != "GET" or not _UNSHARED.isdisjoint(request.headers.index):
        return False
    return _UNSHARED_WISHES.isdisjoint(request_directives(request.headers).values)


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


class CollapseLease:
    """A fetch's part in the collapsing: its role among the requests of this worker (`woken`: another's leader
    let it go alone), and the lease that keeps other workers waiting.
    """

    __slots__ = ("_key", "_lease", "_renew_at", "_settled", "_store", "_woken", "leads")

    def __init__(self, store: SharedStore, key: bytes, role: Role, woken: bool) -> None:
        self._store = store
        self._key = key
        self._woken = woken
        self._settled = False
        self._lease: Lease | None = None
        self._renew_at = inf
        self.leads = role is Role.LEAD

    def begin(self, fetch: Fetch) -> bool:
        """True if the lease was acquired; otherwise `fetch.lease_may_be_free` will be called."""
        leases = self._store.leases
        if not self.leads or leases is None:
            return True
        lease = leases.acquire(self._key)
        if isinstance(lease, Busy):
            leases.wait(fetch, lease)
            return False
        self._lease = lease
        self._renew_at = time.monotonic() + LEASE_SECONDS / 2
        return True

    def renew(self, now: float) -> None:
        """Content arrives (`now` is monotonic): others may wait on."""
        leases = self._store.leases
        if now > self._renew_at and self._lease is not None and leases is not None:
            self._renew_at = now + LEASE_SECONDS / 2
            leases.renew(self._lease)

    @property
    def waited_for(self) -> bool:
        """True if requests of this worker wait for the fetch."""
        return self.leads and self._store.flights.waiting(self._key) > 0

    def settle(self, outcome: Outcome) -> None:
        """Tell those who wait, here and in other workers, how it ended. Once."""
        if self._settled:
            return
        self._settled = True
        leases = self._store.leases
        if self._lease is not None and leases is not None:
            pass_until = time.monotonic() + HIT_FOR_MISS_SECONDS if outcome is Outcome.UNCACHEABLE else None
            leases.release(self._lease, pass_until)
        if self.leads:
            finish_flight(self._store, self._key, outcome)

    def end(self, fetch: Fetch) -> None:
        """The fetch is over, however that came."""
        if self._store.leases is not None:
            self._store.leases.forget(fetch)
        self.settle(Outcome.FAILED)
        if self._woken:
            passed(self._store, self._key)
