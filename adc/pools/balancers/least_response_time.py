"""Least response time: the member that is likely to respond first."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf
from typing import Final

from adc.http.client import Flow
from adc.pools.balancers.parts import Parts
from adc.pools.balancers.round_robin import RoundRobin
from adc.pools.errors import Failure, FailureSource, Outcome
from adc.pools.member import Member

NAME: Final = "least_response_time"

MEMORY = 10.0
"""Seconds after which a measurement has lost two thirds of its weight."""
LEAST_SAY = 0.05
"""Least weight of a new measurement in the average, however fast measurements arrive."""
FAILURE_COST = 1.0
"""Seconds that a failed attempt counts as at least: a member that refuses quickly must not look quick."""


class LeastResponseTime:
    """Compares the moving average of response times, times the requests that would then be in flight, per
    share.

    Without new measurements an average fades, so that a member that was slow once is tried again. A member
    never measured counts as the quickest known, which gives it work but no flood of it.
    """

    __slots__ = ("_now", "_turns")

    def __init__(self) -> None:
        self._turns = RoundRobin()
        self._now = 0.0

    def prepare(self, members: Sequence[Member]) -> None:
        self._turns.prepare(members)

    def pick(self, members: Sequence[Member], flow: Flow) -> Member:
        averages = [self._average(member) for member in members]
        unknown = min((average for average in averages if average), default=1.0)
        least = inf
        equals: list[Member] = []
        for member, average in zip(members, averages, strict=True):
            cost = (average or unknown) * (member.active + 1) / member.share
            if cost < least:
                least = cost
                equals = [member]
            elif cost == least:
                equals.append(member)
        return equals[0] if len(equals) == 1 else self._turns.pick(equals, flow)

    def observe(self, member: Member, now: float, outcome: Outcome, elapsed: float) -> None:
        """Add one response time to the member's average; a response that the client or adc aborted does not count."""
        self._now = now
        if isinstance(outcome, Failure):
            if outcome.source is not FailureSource.MEMBER:
                return
            elapsed = max(elapsed, FAILURE_COST)
        elif outcome >= 500:
            elapsed = max(elapsed, FAILURE_COST)
        if member.ewma:
            say = max(1 - exp((member.measured_at - now) / MEMORY), LEAST_SAY)
            member.ewma += (elapsed - member.ewma) * say
        else:
            member.ewma = elapsed
        member.measured_at = now

    def _average(self, member: Member) -> float:
        return member.ewma and member.ewma * exp((member.measured_at - self._now) / MEMORY)


def make(parts: Parts) -> LeastResponseTime:
    """Return the balancer."""
    return LeastResponseTime()
