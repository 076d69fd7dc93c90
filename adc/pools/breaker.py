"""The circuit breaker of a pool: more than its ceilings is refused at once instead of piling up."""

from __future__ import annotations

from adc.pools.adaptive import AdaptiveLimit
from adc.pools.errors import Failure
from adc.pools.limits import Limits


class Breaker:
    """Compares the load of a pool with its limits. `refused` counts by reason; `connections` is the limit of open
    connections, 0 for none."""

    __slots__ = ("_adaptive", "_pending", "_requests", "connections", "refused")

    def __init__(self, limits: Limits, adaptive: AdaptiveLimit | None = None) -> None:
        self._requests = limits.requests
        self._pending = limits.pending
        self.connections = limits.connections
        self._adaptive = adaptive
        self.refused = {Failure.OVERLOAD: 0, Failure.QUEUE_FULL: 0, Failure.CONNECTION_LIMIT: 0}

    def adopt(self, previous: Breaker) -> None:
        """Continue the counters of `previous`, with the values that its adaptive limit has learned."""
        self.refused = previous.refused
        if self._adaptive is not None and previous._adaptive is not None:
            self._adaptive.adopt(previous._adaptive)

    def refuse(self, active: int, pending: int = 0, busy: int = 0) -> Failure | None:
        """Return the reason why one more request cannot be accepted beside the requests in flight, the waiting ones
        and the busy connections; None if it can."""
        reason = None
        adaptive = self._adaptive
        if (self._requests and active >= self._requests) or (
            adaptive is not None and not adaptive.admits(active)
        ):
            reason = Failure.OVERLOAD
        elif self._pending and pending >= self._pending:
            reason = Failure.QUEUE_FULL
        elif self.connections and busy >= self.connections:
            reason = Failure.CONNECTION_LIMIT
        if reason is not None:
            self.refused[reason] += 1
        return reason
