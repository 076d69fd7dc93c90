"""The same choice for the same key in all workers, without any state (weighted rendezvous hashing)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import log

from adc.pools.member import Member


def member_for(key: bytes, members: Sequence[Member]) -> Member:
    """Return the one of `members` that `key` belongs to, each with the probability that its share gives it. A member
    that leaves or joins moves only the keys that it has or gets."""
    return min(members, key=lambda member: draw(member, key))


def draw(member: Member, key: bytes) -> float:
    """Return a number that depends on the member's address and `key`, exponentially distributed with the member's
    share as its rate, so that the smallest number is drawn in proportion to the shares."""
    digest = blake2b(key, key=member.address.encode()[:64], digest_size=8).digest()
    return -log((int.from_bytes(digest, "big") + 1) / 2.0**64) / member.share
