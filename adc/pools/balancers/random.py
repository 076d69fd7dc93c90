"""Random: each member with the probability that its share gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adc.http.client import Flow
from adc.pools.balancers.parts import Parts
from adc.pools.balancers.wheel import Draws
from adc.pools.member import Member

NAME: Final = "random"


class RandomChoice(Draws):
    """Independent draws, so that many workers need no coordination."""

    __slots__ = ()

    def pick(self, members: Sequence[Member], flow: Flow) -> Member:
        return self.wheel_of(members).draw(self._rng)


def make(parts: Parts) -> RandomChoice:
    """Return the balancer."""
    return RandomChoice(parts.rng)
