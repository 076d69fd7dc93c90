"""Admission of requests by units that a worker has taken for their clients beforehand.

Compiled, because a plugin that counts requests decides on almost all of them here, without a call of its own code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from adc.http.headers import Pair
from adc.http.message import Request

_NO_LINES: Final[tuple[Pair, ...]] = ()


class Lease:
    """Units of one key that a worker has taken from a table for its next requests, until `expires`.

    `remaining` units were left in the table besides; all are left again at `reset`. A request that costs `refused_cost`
    or more is refused until `refused_until`: the key is used up. `taking` is the future of a take in progress, and
    `waiting` counts the requests that wait for it. Times are seconds of `Host.now`.
    """

    __slots__ = (
        "expires",
        "refused_cost",
        "refused_until",
        "remaining",
        "reset",
        "taking",
        "units",
        "waiting",
    )

    def __init__(self) -> None:
        self.units = 0
        self.expires = 0.0
        self.refused_until = 0.0
        self.refused_cost = 0
        self.remaining = 0
        self.reset = 0.0
        self.taking: Any = None
        self.waiting = 0


class Admission:
    """Admits a request whose client has a lease with enough units: each costs `cost`.

    `leases` are by `Request.source`, and belong to the plugin; `now` is `Host.now`. With `item`, the beginning of an
    item of `RateLimit`, and `policy`, another line, the response has both (draft-ietf-httpapi-ratelimit-headers-10).
    """

    __slots__ = ("_cost", "_item", "_leases", "_now", "_policy")

    def __init__(
        self,
        leases: dict[str, Lease],
        now: Callable[[], float],
        cost: int = 1,
        item: bytes = b"",
        policy: Pair = (b"", b""),
    ) -> None:
        self._leases = leases
        self._now = now
        self._cost = cost
        self._item = item
        self._policy = policy

    def lines(self, request: Request) -> tuple[Pair, ...] | None:
        """Spend units and return the fields of the response, or None if `request_head` has to decide."""
        lease = self._leases.get(request.source)
        cost = self._cost
        if lease is None or lease.units < cost:
            return None
        read = self._now
        now = read()
        if lease.expires <= now:
            return None
        lease.units -= cost
        item = self._item
        if not item:
            return _NO_LINES
        left, wait = lease.remaining + lease.units, lease.reset - now
        seconds = int(wait)
        if wait > seconds:
            seconds += 1
        if seconds < 0:
            seconds = 0
        return ((b"RateLimit", item + f"{left};t={seconds}".encode("ascii")), self._policy)
