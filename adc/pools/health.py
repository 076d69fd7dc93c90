"""Active health: from results of checks to a member's state, and when to check next."""

from __future__ import annotations

from random import Random

from adc.pools.member import Health

JITTER = 0.1
"""Part of an interval by which checks are moved at random, so that many members are not checked in step."""
FIRST_CHECKS = 1.0
"""Seconds over which the first checks are spread at most."""

# (state, did the check pass) -> the state that enough such results in a row lead to.
_NEXT = {
    (Health.UNKNOWN, True): Health.UP,
    (Health.UNKNOWN, False): Health.DOWN,
    (Health.UP, False): Health.DOWN,
    (Health.DOWN, True): Health.UP,
}


class HealthState:
    """Result of all checks of one member.

    The first result decides at once; after that `fall` failures in a row take a member down and `rise` passes in a row
    bring it back. `since` is the monotonic time of the last change of `health`, `reason` the failure of the last check
    ("" while up).
    """

    __slots__ = ("_enough", "_row", "checks", "failures", "health", "reason", "since")

    def __init__(self, rise: int = 2, fall: int = 3) -> None:
        self._enough = {Health.UNKNOWN: 1, Health.UP: fall, Health.DOWN: rise}
        self._row = 0
        self.health = Health.UNKNOWN
        self.since = 0.0
        self.reason = ""
        self.checks = 0
        self.failures = 0

    @property
    def turning(self) -> bool:
        """True if the last check contradicted the state, without being enough to change it."""
        return self._row > 0

    def resume(self, health: Health, reason: str, now: float) -> None:
        """Continue with the result of earlier checks."""
        self.health, self.reason, self.since = health, reason, now

    def feed(self, failure: str | None, now: float) -> bool:
        """Take one result, None for a check that passed or else why it failed; True when `health` changed."""
        self.checks += 1
        if failure is not None:
            self.failures += 1
            self.reason = failure
        following = _NEXT.get((self.health, failure is None))
        if following is None:
            self._row = 0
            return False
        self._row += 1
        if self._row < self._enough[self.health]:
            return False
        self._row = 0
        self.health = following
        self.since = now
        if following is Health.UP:
            self.reason = ""
        return True


class Schedule:
    """When to check: every `interval` seconds, every `down_interval` while down (twice `interval` by
    default).

    A member about to change its state is checked at the ordinary pace.
    """

    __slots__ = ("_down_interval", "_interval")

    def __init__(self, interval: float, down_interval: float | None = None) -> None:
        self._interval = interval
        self._down_interval = 2 * interval if down_interval is None else down_interval

    def first(self, now: float, rng: Random) -> float:
        """Return the time of a member's first check."""
        return now + rng.random() * min(self._interval, FIRST_CHECKS)

    def following(self, state: HealthState, now: float, rng: Random) -> float:
        """Return the time of the check after one that ended at `now` and was fed to `state`."""
        slow = state.health is Health.DOWN and not state.turning
        interval = self._down_interval if slow else self._interval
        return now + interval * (1 + JITTER * (2 * rng.random() - 1))
