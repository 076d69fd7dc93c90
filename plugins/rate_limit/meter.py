"""What a worker knows of one limit: units that it has taken for its next requests, and keys that are used up.

A worker takes a portion from the table that all share. Portions are so small that what idle workers keep is a fraction
of a percent of ten seconds of the limit; for a limit of 100 a second that is one unit, so that each request is counted
exactly. A key that is used up is refused here until the next unit is due.
"""

from __future__ import annotations

import math

from adc.plugin import Bucket, Grant, Lease, Window

KEEP_SECONDS = 1.0
"""Seconds after which units that were not used are dropped."""
MOST_LEASES = 10_000
_PAUSE = 0.02
"""Seconds for which a key that is used up is not asked for again, at least, if the limit refills slowly enough."""
_KEPT_PART = 1000
"""The units of ten seconds that one worker may keep, as a divisor."""


class Meter:
    """The leases of one limit by key. Times are seconds of a clock that never goes back."""

    def __init__(self, allowance: Bucket | Window) -> None:
        self.allowance = allowance
        self.leases: dict[str, Lease] = {}
        if isinstance(allowance, Bucket):
            ten_seconds, refill = allowance.burst + 10 * allowance.rate, allowance.burst / allowance.rate
            delays = allowance.debt > 0
        else:
            per_window = allowance.most / allowance.period
            ten_seconds, refill, delays = max(allowance.most, 10 * per_window), allowance.period, False
        self._portion = 1 if delays else max(1, math.floor(ten_seconds / _KEPT_PART))
        self._pause = min(_PAUSE, refill / 8)

    def lease(self, key: str) -> Lease:
        """Return the lease of a key."""
        lease = self.leases.get(key)
        if lease is None:
            if len(self.leases) >= MOST_LEASES:
                del self.leases[next(iter(self.leases))]  # what it counted is in the table
            lease = self.leases[key] = Lease()
        return lease

    def spend(self, lease: Lease, cost: int, now: float) -> bool | None:
        """Spend units of a lease: True if it has them, False if the key is used up, None if the table has to be
        asked."""
        if lease.units >= cost and lease.expires > now:
            lease.units -= cost
            return True
        return False if lease.refused_until > now and cost >= lease.refused_cost else None

    def want(self, lease: Lease, cost: int) -> int:
        """Return the units to ask the table for."""
        return max(self._portion, cost * max(1, lease.waiting))

    def settle(self, lease: Lease, grant: Grant, cost: int, now: float) -> None:
        """Note what the table granted to a take of at least `cost`."""
        if grant.granted:
            kept = lease.units if lease.expires > now else 0
            lease.units, lease.expires = kept + grant.granted, now + KEEP_SECONDS
        else:
            lease.refused_until, lease.refused_cost = now + max(grant.wait, self._pause), cost
        lease.remaining, lease.reset = grant.remaining, now + grant.reset
