"""Random: each member with the probability that its share gives it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from adc.http.message import Request
from adc.pools.balancers.wheel import Wheel
from adc.pools.member import Member


class RandomChoice:
    """Independent draws, so that many workers need not agree on whose turn it is."""

    __slots__ = ("_members", "_rng", "_wheel")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._members: Sequence[Member] = ()
        self._wheel = Wheel(())

    def prepare(self, members: Sequence[Member]) -> None:
        self._members = members
        self._wheel = Wheel(members)

    def pick(self, members: Sequence[Member], request: Request) -> Member:
        wheel = self._wheel if members is self._members else Wheel(members)
        return wheel.draw(self._rng)
