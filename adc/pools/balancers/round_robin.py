"""Round robin: plain rotation among equals, smooth weighted rotation otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adc.http.client import Flow
from adc.pools.balancers.parts import Parts
from adc.pools.balancers.turns import Turns
from adc.pools.member import Member

NAME: Final = "round_robin"


class RoundRobin:
    """Members in turn, each as often as its share requires and spread evenly over the cycle.

    The weighted order is nginx's: at each pick every member's credit grows by its share; the member with the most
    credit is chosen and pays the sum of all shares. Over a cycle of that many picks the proportions are exact. `turns`
    counts for the plain rotation; processes that share it alternate.
    """

    __slots__ = ("_credit", "_equal", "_turns")

    def __init__(self, turns: Turns | None = None) -> None:
        self._credit: dict[Member, float] = {}
        self._equal = True
        self._turns = Turns([0]) if turns is None else turns

    def prepare(self, members: Sequence[Member]) -> None:
        credit = self._credit
        self._equal = len({member.share for member in members}) <= 1
        self._credit = {} if self._equal else {member: credit.get(member, 0) for member in members}

    def pick(self, members: Sequence[Member], flow: Flow) -> Member:
        if self._equal:
            return members[self._turns.take() % len(members)]
        credit = self._credit
        total = 0.0
        best = members[0]
        for member in members:
            share = member.share
            total += share
            credit[member] += share
            if credit[member] > credit[best]:
                best = member
        credit[best] -= total
        return best


def make(parts: Parts) -> RoundRobin:
    """Return the balancer."""
    return RoundRobin(parts.turns)
