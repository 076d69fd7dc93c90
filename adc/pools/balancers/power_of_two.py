"""Power of two choices: draw two members, take the less loaded."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from adc.http.message import Request
from adc.pools.balancers.wheel import Wheel
from adc.pools.member import Member


class PowerOfTwo:
    """Nearly as even as least connections without looking at every member, and without the herd that forms
    when many workers all see the same least loaded one.

    Members are drawn by share and compared by requests in flight per share; the first drawn wins a tie, so
    that an idle pool keeps its proportions.
    """

    __slots__ = ("_members", "_rng", "_wheel")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._members: Sequence[Member] = ()
        self._wheel = Wheel(())

    def prepare(self, members: Sequence[Member]) -> None:
        self._members = members
        self._wheel = Wheel(members)

    def pick(self, members: Sequence[Member], request: Request) -> Member:
        if len(members) == 1:
            return members[0]
        wheel = self._wheel if members is self._members else Wheel(members)
        first, second = wheel.draw_two(self._rng)
        return second if second.active * first.share < first.active * second.share else first
