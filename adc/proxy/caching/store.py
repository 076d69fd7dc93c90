"""One named store as a worker uses it: its tiers, and the requests in flight that use it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from adc.cache.collapse import Flights, Outcome
from adc.cache.purge import Purge
from adc.cache.tiered import TieredStore
from adc.proxy.caching.leases import Leases
from adc.proxy.caching.parked import Parked
from adc.proxy.caching.unattended import Unattended

MOST_REFRESHING = 64
"""Entries validated in the background at a time; others stay stale a little longer."""


COUNTED = ("hits", "misses", "stale", "revalidated", "collapsed")
"""The names of `CacheCounters`."""


class CacheCounters:
    """Counts of requests by outcome. Plain integers."""

    __slots__ = COUNTED

    def __init__(self) -> None:
        self.hits = 0
        self.misses = 0
        self.stale = 0
        self.revalidated = 0
        self.collapsed = 0


class SharedStore:
    """Tiers, requests that wait for one another (`flights`), the right to fetch for all workers (`leases`,
    None for a store of one worker), and the keys validated in the background. `users` counts the fetches
    and purges under way. `purge_everywhere(url)` has all workers drop the URL part of a key, and returns of how
    many entries; it raises an exception, for the log, if any was not reached.
    """

    def __init__(
        self,
        name: str,
        tiers: TieredStore,
        leases: Leases | None,
        loop: asyncio.AbstractEventLoop,
        purge_everywhere: Callable[[bytes], Coroutine[Any, Any, int]],
    ) -> None:
        self.name = name
        self.tiers = tiers
        self.leases = leases
        self.loop = loop
        self.purge_everywhere = purge_everywhere
        self.flights: Flights[Parked] = Flights()
        self.counters = CacheCounters()
        self.refreshing: set[bytes] = set()
        self.unattended = Unattended()
        self.users = 0

    def finish_flight(self, key: bytes, outcome: Outcome) -> None:
        """Wake the requests that `outcome` of the fetch that leads `key` sets free."""
        for waiting, role in self.flights.finished(key, outcome, time.monotonic()):
            waiting.wake(role)

    def passed(self, key: bytes) -> None:
        """Wake the next request, because one that was set free alone is done."""
        for waiting, role in self.flights.passed(key):
            waiting.wake(role)

    async def purge(self, purge: Purge) -> int:
        """Purge in this worker and what it shares with others, while requests are served in between; returns of
        how many entries. Raises lmdb.Error.
        """
        self.users += 1
        try:
            steps = self.tiers.purging(purge)
            while True:
                try:
                    next(steps)
                except StopIteration as done:
                    count: int = done.value
                    return count
                await asyncio.sleep(0)
        finally:
            self.users -= 1
