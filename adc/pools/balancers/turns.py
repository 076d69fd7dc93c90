"""The count that a plain rotation takes its turns from."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Final

_WRAP: Final = (1 << 62) - 1


class Turns:
    """Counts turns in one place of an array of integers, which other processes may share.

    Two that count at the same moment may get the same turn: a rotation can bear that, and needs no lock.
    """

    __slots__ = ("_counts", "_place")

    def __init__(self, counts: MutableSequence[int] | memoryview, place: int = 0) -> None:
        self._counts = counts
        self._place = place

    def take(self) -> int:
        """Return the next turn."""
        turn: int = self._counts[self._place]
        self._counts[self._place] = turn + 1 & _WRAP
        return turn
