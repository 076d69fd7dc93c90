"""Whose turn it is in a pool, told by one count for all workers of a machine."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from itertools import count
from zlib import crc32

_WRAP = (1 << 62) - 1


class Turns:
    """Counts by pool, in the memory behind `descriptor`; without one, counts of this process alone.

    Two workers that count at the same moment may get the same turn: a round robin can bear that, and needs no lock.
    Pools whose names hash alike share a count, which keeps each of them in turn only while the other is idle.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._counts = None if descriptor is None else memoryview(mmap.mmap(descriptor, 0)).cast("Q")

    def of(self, pool: str) -> Iterator[int]:
        """The turns of one pool, without end."""
        if self._counts is None:
            return count()
        return _shared(self._counts, crc32(pool.encode()) % len(self._counts))


def _shared(counts: memoryview, slot: int) -> Iterator[int]:
    while True:
        turn: int = counts[slot]
        counts[slot] = turn + 1 & _WRAP
        yield turn
