"""Keys to members so that a change of members moves as few keys as can be (weighted rendezvous hashing)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import log
from zlib import crc32

from cachetools import LRUCache

from adc.pools.member import Member

SLOTS = 1 << 14
"""Keys fall into slots and slots belong to members: enough of them that 10 members are even to a few
percent."""
RANKINGS = 1024
"""Rankings kept: of slots whose owner was skipped."""


class Slots:
    """The owner of each key, and the order of the members after it.

    For each slot every member draws a number from a hash of its address and the slot, scaled by its share, and the
    smallest wins. A member that leaves loses only its slots, a member that joins gets only the slots that it wins.
    Nothing is random, so all workers and nodes agree. Owners are computed on first use.
    """

    __slots__ = ("_hashes", "_members", "_owners", "_rankings", "_shares")

    def __init__(self) -> None:
        self._members: Sequence[Member] = ()
        self._shares: list[float] = []
        self._hashes: dict[Member, blake2b] = {}
        self._owners: list[Member | None] = [None] * SLOTS
        self._rankings: LRUCache[int, list[Member]] = LRUCache(RANKINGS)

    def prepare(self, members: Sequence[Member]) -> None:
        """Learn the candidates and their shares."""
        shares = [member.share for member in members]
        if list(members) == list(self._members) and shares == self._shares:
            self._members = members
            return
        self._members = members
        self._shares = shares
        self._hashes = {member: blake2b(member.address.encode(), digest_size=8) for member in members}
        self._owners = [None] * SLOTS
        self._rankings.clear()

    def owner(self, members: Sequence[Member], key: bytes) -> Member:
        """Return the member of `members` that owns `key`."""
        slot = crc32(key) % SLOTS
        owner = self._owners[slot]
        if owner is None:
            owner = self._owners[slot] = min(self._members, key=lambda member: self._draw(member, slot))
        if members is self._members or owner in members:
            return owner
        return next(member for member in self._ranking(slot) if member in members)

    def ranking(self, key: bytes) -> list[Member]:
        """Return all prepared members, the owner of `key` first."""
        return self._ranking(crc32(key) % SLOTS)

    def _ranking(self, slot: int) -> list[Member]:
        ranking = self._rankings.get(slot)
        if ranking is None:
            ranking = sorted(self._members, key=lambda member: self._draw(member, slot))
            self._rankings[slot] = ranking
        return ranking

    def _draw(self, member: Member, slot: int) -> float:
        """Exponentially distributed with the member's share as its rate, so that wins are in proportion."""
        digest = self._hashes[member].copy()
        digest.update(slot.to_bytes(4))
        return -log((int.from_bytes(digest.digest()) + 1) / 2.0**64) / member.share
