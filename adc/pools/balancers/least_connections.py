"""Least connections: the member with the fewest requests in flight for its share."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final

from adc.http.client import Flow
from adc.pools.balancers.parts import Parts
from adc.pools.balancers.round_robin import RoundRobin
from adc.pools.balancers.turns import Turns
from adc.pools.member import Member

NAME: Final = "least_connections"


class LeastConnections:
    """Equally loaded members take turns by weighted round robin: an idle pool keeps its proportions. `turns` counts for
    that; processes that share it and the load of the members balance as one."""

    __slots__ = ("_turns",)

    def __init__(self, turns: Turns | None = None) -> None:
        self._turns = RoundRobin(turns)

    def prepare(self, members: Sequence[Member]) -> None:
        self._turns.prepare(members)

    def pick(self, members: Sequence[Member], flow: Flow) -> Member:
        least = inf
        equals: list[Member] = []
        for member in members:
            load = member.in_flight() / member.share
            if load < least:
                least = load
                equals = [member]
            elif load == least:
                equals.append(member)
        return equals[0] if len(equals) == 1 else self._turns.pick(equals, flow)


def make(parts: Parts) -> LeastConnections:
    """Return the balancer."""
    return LeastConnections(parts.turns)
