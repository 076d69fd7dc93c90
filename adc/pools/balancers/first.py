"""First: fill members in the order of the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adc.http.client import Flow
from adc.pools.balancers.parts import Parts
from adc.pools.member import Member

NAME: Final = "first"


class First:
    """Always the first candidate. With `connections_per_member` set, the pool offers only members below it: the second
    member gets the requests that exceed the first, and the last ones may be switched off in quiet hours."""

    __slots__ = ()

    def prepare(self, members: Sequence[Member]) -> None:
        """No-op: the order is the file's."""

    def pick(self, members: Sequence[Member], flow: Flow) -> Member:
        return members[0]


def make(parts: Parts) -> First:
    """Return the balancer."""
    return First()
