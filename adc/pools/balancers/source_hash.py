"""Source hash: the same client address goes to the same member."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adc.http.client import Flow
from adc.pools.balancers.parts import Parts
from adc.pools.balancers.slots import Slots
from adc.pools.member import Member

NAME: Final = "source_hash"


class SourceHash:
    """By the client's address, however loaded its member is; consistent hash by source spreads load too."""

    __slots__ = ("_slots",)

    def __init__(self) -> None:
        self._slots = Slots()

    def prepare(self, members: Sequence[Member]) -> None:
        self._slots.prepare(members)

    def pick(self, members: Sequence[Member], flow: Flow) -> Member:
        return self._slots.owner(members, flow.source.encode())


def make(parts: Parts) -> SourceHash:
    """Return the balancer."""
    return SourceHash()
