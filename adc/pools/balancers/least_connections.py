"""Least connections: the member with the fewest requests in flight for its share."""

from __future__ import annotations

from collections.abc import Sequence

from adc.http.message import Request
from adc.pools.balancers.round_robin import RoundRobin
from adc.pools.member import Member


class LeastConnections:
    """Equally loaded members take turns by weighted round robin: an idle pool keeps its proportions."""

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns = RoundRobin()

    def prepare(self, members: Sequence[Member]) -> None:
        self._turns.prepare(members)

    def pick(self, members: Sequence[Member], request: Request) -> Member:
        loads = [member.active / member.share for member in members]
        least = min(loads)
        if loads.count(least) == 1:
            return members[loads.index(least)]
        return self._turns.pick([members[i] for i, load in enumerate(loads) if load == least], request)
