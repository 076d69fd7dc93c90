"""A wheel whose sectors are as wide as the members' shares."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random

from adc.pools.member import Member


class Wheel:
    """Draws members with the probability that their shares give them."""

    __slots__ = ("_ends", "_equal", "_members", "_total")

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members
        self._ends = list(accumulate(member.share for member in members))
        self._total = self._ends[-1] if members else 0
        self._equal = len({member.share for member in members}) <= 1

    def draw(self, rng: Random) -> Member:
        """Return one member."""
        members = self._members
        if self._equal:
            return members[int(rng.random() * len(members))]
        return members[self._sector(rng.random() * self._total)]

    def draw_two(self, rng: Random) -> tuple[Member, Member]:
        """Return two different members out of two or more: the second drawn with the first one's sector cut out."""
        members = self._members
        if self._equal:
            count = len(members)
            first = int(rng.random() * count)
            second = int(rng.random() * (count - 1))
            return members[first], members[second + (second >= first)]
        first = self._sector(rng.random() * self._total)
        start = self._ends[first - 1] if first else 0
        width = self._ends[first] - start
        point = rng.random() * (self._total - width)
        second = self._sector(point if point < start else point + width)
        if second == first:  # rounding put the point on the edge of the removed sector
            second = first - 1 if first else 1
        return members[first], members[second]

    def _sector(self, point: float) -> int:
        return min(bisect_right(self._ends, point), len(self._ends) - 1)


class Draws:
    """Common part of the balancers that draw members: the wheel of all members is made once."""

    __slots__ = ("_members", "_rng", "_wheel")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._members: Sequence[Member] = ()
        self._wheel = Wheel(())

    def prepare(self, members: Sequence[Member]) -> None:
        """Make the wheel of all members, until the next call."""
        self._members = members
        self._wheel = Wheel(members)

    def wheel_of(self, members: Sequence[Member]) -> Wheel:
        """Return the wheel of `members`: all of them, or the remaining ones."""
        return self._wheel if members is self._members else Wheel(members)
