"""Requests that wait for another one's fetch: in this worker, and for the lease that another worker holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

from adc.cache.collapse import HIT_FOR_MISS_SECONDS, Outcome, Role
from adc.cache.directives import request_directives
from adc.cache.lease import Busy, Lease
from adc.proxy.caching.leases import LEASE_SECONDS, LeaseWaiter
from adc.proxy.caching.parked import Parked
from adc.proxy.caching.store import SharedStore
from adc.proxy.exchange import Exchange

_UNSHARED = frozenset(
    {
        b"authorization",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"range",
    }
)
"""A request with one of these needs a separate response: it neither leads others nor follows."""

_OF_A_PART = frozenset({b"range", b"if-range"})

_UNSHARED_WISHES = frozenset({"no-store", "only-if-cached", "stale-if-error"})
"""The same of directives. Requests that demand a fresh response share one fetch: what comes is fresh for all."""


class Waiting(Parked):
    """An exchange that waits for another one's fetch of the same key, in the same store."""

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
        self.store.loop.call_soon(self._wake, role)

    def _wake(self, role: Role) -> None:
        if not self.over:
            self.finish()
            self.exchange.attempt = None
            self._again(self.exchange, self.key, role)
        elif role is Role.LEAD:
            self.store.finish_flight(self.key, Outcome.FAILED)
        elif role is Role.ALONE:
            self.store.passed(self.key)

    def left(self) -> None:
        self.store.flights.leave(self.key, self)


def may_share(exchange: Exchange) -> bool:
    """True if the exchange may lead others or follow one."""
    request, plugins = exchange.request, exchange.plugins
    unshared = _UNSHARED
    if plugins is not None and plugins.fetches_whole:
        unshared = _UNSHARED - _OF_A_PART
    if request.method != "GET" or not unshared.isdisjoint(request.headers.index):
        return False
    return _UNSHARED_WISHES.isdisjoint(request_directives(request.headers).values)


class CollapseLease(LeaseWaiter):
    """A fetch's part in the collapsing: its role among the requests of this worker (`woken`: another's leader
    let it go alone), and the lease that keeps other workers waiting.
    """

    __slots__ = ("_again", "_key", "_lease", "_renew_at", "_settled", "_store", "_woken", "leads")

    def __init__(self, store: SharedStore, key: bytes, role: Role, woken: bool) -> None:
        self._store = store
        self._key = key
        self._again: Callable[[], None] | None = None
        self._woken = woken
        self._settled = False
        self._lease: Lease | None = None
        self._renew_at = inf
        self.leads = role is Role.LEAD

    def begin(self, again: Callable[[], None]) -> bool:
        """True if the lease was acquired; otherwise `again` will be called when it may be free."""
        leases = self._store.leases
        if not self.leads or leases is None:
            return True
        lease = leases.acquire(self._key)
        if isinstance(lease, Busy):
            self._again = again
            leases.wait(self, lease)
            return False
        self._lease = lease
        self._renew_at = time.monotonic() + LEASE_SECONDS / 2
        return True

    def may_be_free(self) -> None:
        again, self._again = self._again, None
        if again is not None:
            again()

    def renew(self, now: float) -> None:
        """Let the others wait on: content arrives (`now` is monotonic)."""
        leases = self._store.leases
        if now > self._renew_at and self._lease is not None and leases is not None:
            self._renew_at = now + LEASE_SECONDS / 2
            leases.renew(self._lease)

    @property
    def waited_for(self) -> bool:
        """True if requests of this worker wait for the fetch."""
        return self.leads and self._store.flights.waiting(self._key) > 0

    def settle(self, outcome: Outcome) -> None:
        """Notify the waiting requests, here and in other workers, of the end. Once."""
        if self._settled:
            return
        self._settled = True
        leases = self._store.leases
        if self._lease is not None and leases is not None:
            pass_until = time.monotonic() + HIT_FOR_MISS_SECONDS if outcome is Outcome.UNCACHEABLE else None
            leases.release(self._lease, pass_until)
        if self.leads:
            self._store.finish_flight(self._key, outcome)

    def end(self) -> None:
        """End the fetch, for whatever reason."""
        self._again = None
        if self._store.leases is not None:
            self._store.leases.forget(self)
        self.settle(Outcome.FAILED)
        if self._woken:
            self._store.passed(self._key)
