"""Round robin: plain rotation among equals, smooth weighted rotation otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from adc.http.message import Request
from adc.pools.member import Member


class RoundRobin:
    """Members in turn, each as often as its share says and spread evenly over the cycle.

    The weighted order is nginx's: at each pick every member's credit grows by its share, the richest is
    chosen and pays the sum of all shares. Over a cycle of that many picks the proportions are exact. `turns`
    counts for the plain rotation; processes that share it take turns with each other.
    """

    __slots__ = ("_credit", "_equal", "_turn")

    def __init__(self, turns: Iterator[int] | None = None) -> None:
        self._credit: dict[Member, float] = {}
        self._equal = True
        self._turn = (count() if turns is None else turns).__next__

    def prepare(self, members: Sequence[Member]) -> None:
        credit = self._credit
        self._equal = len({member.share for member in members}) <= 1
        self._credit = {} if self._equal else {member: credit.get(member, 0) for member in members}

    def pick(self, members: Sequence[Member], request: Request) -> Member:
        if self._equal:
            return members[self._turn() % len(members)]
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
