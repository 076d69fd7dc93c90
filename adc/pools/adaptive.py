"""Adaptive concurrency: the number of requests in flight that a pool bears, found from response times."""

from __future__ import annotations

from math import sqrt

from adc.pools.errors import Failure, FailureSource, Outcome
from adc.pools.member import Member

LONG_MEMORY = 0.02
"""Share of one window in the long-term average."""
SHORT_SHARE = 0.2
"""Share of the way to its new value that the limit moves in one window."""
STEEPEST = 0.5
"""Largest decrease of the limit in one window, as a factor."""
BACK_OFF = 0.9
"""Factor for a window in which an attempt timed out or was refused."""
FEWEST = 10
"""Responses that make a window; the average of fewer is unreliable."""


class AdaptiveLimit:
    """Compares current response times with the long-term average.

    While they agree (up to `tolerance` times slower), the limit grows by its square root per window; when responses
    slow down, which a growing queue in the members causes, it shrinks by the ratio. It does not grow while less than
    half of it is used, because nothing is learned about the rest. `limit` stays between `least` and `most`; `window`
    is in seconds.
    """

    __slots__ = (
        "_count",
        "_failed",
        "_least",
        "_long",
        "_most",
        "_opened",
        "_peak",
        "_sum",
        "_tolerance",
        "_window",
        "limit",
    )

    def __init__(
        self,
        *,
        initial: int = 20,
        least: int = 4,
        most: int = 1000,
        tolerance: float = 1.5,
        window: float = 0.5,
    ) -> None:
        self.limit = float(initial)
        self._least = least
        self._most = most
        self._tolerance = tolerance
        self._window = window
        self._long = 0.0
        self._opened = 0.0
        self._sum = 0.0
        self._count = 0
        self._peak = 0
        self._failed = False

    def adopt(self, previous: AdaptiveLimit) -> None:
        """Start with the values that `previous` has learned, within the bounds of this one."""
        self.limit = min(max(previous.limit, self._least), self._most)
        self._long = previous._long

    def admits(self, active: int) -> bool:
        """True if one more request may join the `active` ones in flight."""
        if active >= self._peak:
            self._peak = active + 1
        return active < self.limit

    def observe(self, member: Member, now: float, outcome: Outcome, elapsed: float) -> None:
        """Learn from an attempt that ended at `now` after `elapsed` seconds."""
        if isinstance(outcome, Failure):
            self._failed = self._failed or outcome.source is FailureSource.MEMBER
        else:
            self._sum += elapsed
            self._count += 1
        if now - self._opened >= self._window and (self._count >= FEWEST or self._failed):
            self._close_window(now)

    def _close_window(self, now: float) -> None:
        limit = self.limit * BACK_OFF if self._failed else self._aim(self._sum / self._count)
        self.limit = min(max(limit, self._least), self._most)
        self._opened = now
        self._sum = 0.0
        self._count = self._peak = 0
        self._failed = False

    def _aim(self, short: float) -> float:
        self._long = self._long + (short - self._long) * LONG_MEMORY if self._long else short
        if short < self._long / 2:  # much quicker than remembered: the memory is of worse times
            self._long = (self._long + short) / 2
        gradient = self._tolerance * self._long / short if short > 0 else 1.0
        gradient = min(max(gradient, STEEPEST), 1.0)
        if gradient == 1.0 and self._peak * 2 < self.limit:
            return self.limit
        aim = self.limit * gradient + sqrt(self.limit)
        return self.limit + (aim - self.limit) * SHORT_SHARE
