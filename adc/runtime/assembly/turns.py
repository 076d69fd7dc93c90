"""The position of each pool's round robin, shared by all workers of a machine."""

from __future__ import annotations

import mmap
from zlib import crc32

from adc.pools.balancers.turns import Turns


def shared_counts(descriptor: int) -> memoryview[int]:
    """Return the memory behind `descriptor` as whole numbers from 0 up."""
    return memoryview(mmap.mmap(descriptor, 0)).cast("Q")


class SharedTurns:
    """Counts by pool, in the memory behind `descriptor`; without one, counts of this process alone.

    Pools whose names hash alike share a count, which keeps each of them in turn only while the other is idle.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._counts = None if descriptor is None else shared_counts(descriptor)

    def of(self, pool: str) -> Turns:
        """Return the turns of one pool."""
        if self._counts is None:
            return Turns([0])
        return Turns(self._counts, crc32(pool.encode()) % len(self._counts))
