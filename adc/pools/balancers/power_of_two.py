"""Power of two choices: draw two members, take the less loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adc.http.client import Flow
from adc.pools.balancers.parts import Parts
from adc.pools.balancers.wheel import Draws
from adc.pools.member import Member

NAME: Final = "power_of_two"


class PowerOfTwo(Draws):
    """Nearly as even as least connections without looking at every member, and without the herd that forms
    when many workers all see the same least loaded one.

    Members are drawn by share and compared by requests in flight per share; the first drawn wins a tie, so
    that an idle pool keeps its proportions.
    """

    __slots__ = ()

    def pick(self, members: Sequence[Member], flow: Flow) -> Member:
        if len(members) == 1:
            return members[0]
        first, second = self.wheel_of(members).draw_two(self._rng)
        return second if second.in_flight() * first.share < first.in_flight() * second.share else first


def make(parts: Parts) -> PowerOfTwo:
    """Return the balancer."""
    return PowerOfTwo(parts.rng)
