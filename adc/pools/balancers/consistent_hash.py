"""Consistent hash: the same key to the same member, with an optional bound on the load of one member."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

from adc.http.client import Flow
from adc.pools.balancers.keys import Key, compile_key
from adc.pools.balancers.parts import Parts
from adc.pools.balancers.slots import Slots
from adc.pools.member import Member

NAME: Final = "consistent_hash"

LEAST = 8
"""Requests in flight that a member always takes from its keys: below that no bound is worth moving a key."""


class ConsistentHash:
    """Without `load` the member of a key depends only on the members. With it a member receives at most `load` times
    its share of the in-flight requests, rounded up, and never less than LEAST; the surplus goes to the next member
    in the key's order, so that one hot key spreads over few members instead of overloading one."""

    __slots__ = ("_key", "_load", "_slots")

    def __init__(self, key: Key, load: float | None = None) -> None:
        """Rank members; `load` is at least 1: with less some request would fit nowhere."""
        if load is not None and load < 1:
            raise ValueError(f"load {load} is out of range; allowed: at least 1")
        self._key = key
        self._load = load
        self._slots = Slots()

    def prepare(self, members: Sequence[Member]) -> None:
        self._slots.prepare(members)

    def pick(self, members: Sequence[Member], flow: Flow) -> Member:
        key = self._key(flow)
        owner = self._slots.owner(members, key)
        if self._load is None or owner.active < LEAST:
            return owner
        active = 1 + sum([member.active for member in members])
        per_share = self._load * active / sum([member.share for member in members])
        if owner.active < ceil(per_share * owner.share):
            return owner
        for member in self._slots.ranking(key):
            if member.active < max(LEAST, ceil(per_share * member.share)) and member in members:
                return member
        return owner


def make(parts: Parts) -> ConsistentHash:
    """Return the balancer."""
    key = compile_key(parts.options.get("key", "source"), parts.requests)
    return ConsistentHash(key, parts.options.get("load"))
