"""The interface of a balancer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from adc.http.client import Flow
from adc.pools.errors import Outcome
from adc.pools.member import Member


class Balancer(Protocol):
    """Chooses one of several members. Weights are read from `member.share`, which is above zero."""

    def prepare(self, members: Sequence[Member]) -> None:
        """Learn that `members` are the candidates from now on, or that their shares changed."""

    def pick(self, members: Sequence[Member], flow: Flow) -> Member:
        """Return one of `members`: the prepared ones, or a non-empty part of them when some were tried already."""


@runtime_checkable
class Learner(Protocol):
    """Learns from how attempts end."""

    def observe(self, member: Member, now: float, outcome: Outcome, elapsed: float) -> None:
        """Learn that an attempt at `member` took `elapsed` seconds and ended at `now` with `outcome`."""
