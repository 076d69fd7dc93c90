"""Consistent hash with bounded load: the same key to the same member, unless that one is overrun."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from adc.http.message import Request
from adc.pools.balancers.keys import Key
from adc.pools.balancers.slots import Slots
from adc.pools.member import Member


class ConsistentHash:
    """A member takes at most `load` times its fair part of the requests in flight, rounded up; what is over
    goes to the next in the key's own order, so that one hot key spreads over few members instead of sinking
    one.
    """

    __slots__ = ("_key", "_load", "_slots")

    def __init__(self, key: Key, load: float = 1.25) -> None:
        """`load` is at least 1; with less some request would fit nowhere."""
        if load < 1:
            raise ValueError(f"load is {load}: it must be at least 1")
        self._key = key
        self._load = load
        self._slots = Slots()

    def prepare(self, members: Sequence[Member]) -> None:
        self._slots.prepare(members)

    def pick(self, members: Sequence[Member], request: Request) -> Member:
        key = self._key(request)
        owner = self._slots.owner(members, key)
        if not owner.active:
            return owner
        active = 1 + sum([member.active for member in members])
        per_share = self._load * active / sum([member.share for member in members])
        if owner.active < ceil(per_share * owner.share):
            return owner
        for member in self._slots.ranking(key):
            if member.active < ceil(per_share * member.share) and member in members:
                return member
        return owner
