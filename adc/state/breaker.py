"""The times at which a failing peer is tried again."""

from __future__ import annotations

import random


class Breaker:
    """Opens at the first failure; each further one doubles the pause, up to `longest` seconds. The pause is
    drawn from its upper half, so that many nodes do not return at one moment."""

    __slots__ = ("_pause", "_random", "_retry_at", "first", "longest", "open_since", "reason")

    def __init__(self, first: float, longest: float, source: random.Random) -> None:
        self.first = first
        self.longest = longest
        self.reason = ""
        self.open_since: float | None = None
        self._random = source
        self._pause = first
        self._retry_at = 0.0

    @property
    def open(self) -> bool:
        """True from a failure until the next success."""
        return self.open_since is not None

    def begin(self, reason: str, now: float) -> None:
        """Open without an attempt so far; one is due at once."""
        self.open_since = now
        self.reason = reason

    def failed(self, reason: str, now: float) -> None:
        """Note a failed attempt."""
        if self.open_since is None:
            self.open_since = now
            self._pause = self.first
        else:
            self._pause = min(self._pause * 2, self.longest)
        self.reason = reason
        self._retry_at = now + self._pause * self._random.uniform(0.5, 1.0)

    def succeeded(self) -> None:
        """Note a successful attempt."""
        self.open_since = None
        self.reason = ""

    def may_try(self, now: float) -> bool:
        """True if an attempt is due."""
        return self.open_since is None or now >= self._retry_at
