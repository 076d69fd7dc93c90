"""The purges of a store that one worker has for itself, for responses that were under way when they came."""

from __future__ import annotations

from collections import deque

from adc.cache.purge import Purge

KEPT = 1024
KEPT_BYTES = 2 << 20
"""Purges remembered, and bytes of their targets; an in-flight response is not stored if more came meanwhile."""


class RecentPurges:
    """A log with the numbers of a `PurgeLog`, for one process."""

    def __init__(self) -> None:
        self._latest = 0
        self._bytes = 0
        self._kept: deque[Purge] = deque()

    def append(self, purge: Purge) -> int:
        """Add one; returns its number."""
        self._kept.append(purge)
        self._bytes += len(purge.target)
        while len(self._kept) > KEPT or self._bytes > KEPT_BYTES:
            self._bytes -= len(self._kept.popleft().target)
        self._latest += 1
        return self._latest

    def latest(self) -> int:
        """Return the number of the newest."""
        return self._latest

    def since(self, position: int) -> list[Purge] | None:
        """Return the purges after number `position`; None if some of them are forgotten."""
        count = self._latest - position
        if count > len(self._kept):
            return None
        return list(self._kept)[len(self._kept) - count :]
