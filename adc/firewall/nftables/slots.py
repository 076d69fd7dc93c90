"""Slots of a map of members: nftables draws a slot number, and the map says which member has it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import gcd, log

from adc.firewall.nftables.service import BY_SOURCE, Target

HASHED_SLOTS = 1024
"""Slots for a choice by hash; their number never changes, so that few clients move when a member does."""

MOST_SLOTS = 4096
"""Slots of the other choices; above it weights are rounded."""


def slots_of(targets: Sequence[Target], choice: str) -> list[Target]:
    """Return the member of each slot; empty without members."""
    if not targets:
        return []
    if choice == BY_SOURCE:
        return [_preferred(targets, slot) for slot in range(HASHED_SLOTS)]
    return _interleaved(targets)


def _preferred(targets: Sequence[Target], slot: int) -> Target:
    """Return the member of a slot by weighted rendezvous hashing: without it, only its own slots get others."""
    return max(targets, key=lambda target: (_score(target, slot), target.key))


def _score(target: Target, slot: int) -> float:
    digest = blake2b(f"{slot} {target.key}".encode(), digest_size=8).digest()
    uniform = (int.from_bytes(digest) + 1) / ((1 << 64) + 1)
    return -target.weight / log(uniform)


def _interleaved(targets: Sequence[Target]) -> list[Target]:
    """Return as many slots for each member as its weight says, spread evenly (smooth weighted round robin)."""
    weights = _reduced([target.weight for target in targets])
    total = sum(weights)
    credit = [0] * len(targets)
    slots = []
    for _ in range(total):
        credit = [have + weight for have, weight in zip(credit, weights, strict=True)]
        best = max(range(len(targets)), key=credit.__getitem__)
        credit[best] -= total
        slots.append(targets[best])
    return slots


def _reduced(weights: Sequence[int]) -> list[int]:
    common = gcd(*weights)
    reduced = [weight // common for weight in weights]
    total = sum(reduced)
    if total <= MOST_SLOTS:
        return reduced
    return [max(1, weight * MOST_SLOTS // total) for weight in reduced]
