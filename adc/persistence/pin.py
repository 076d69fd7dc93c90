"""A pin: which member a client belongs to, since when; its bytes in a table; and which of two pins stands."""

from __future__ import annotations

import struct
from functools import lru_cache
from math import inf
from typing import NamedTuple

from adc.persistence.identity import ID_BYTES
from adc.state.interface import Entry

MAX_NODE_BYTES = 64
_LAYOUT = struct.Struct(f"<{ID_BYTES}sQIIH")  # member, created (us), seen (s), hits, moves
_MAX_HITS = 2**32 - 1
_MAX_MOVES = 2**16 - 1


class Pin(NamedTuple):
    """A client's bond to a member. `created`, `seen` and `expires` are wall-clock seconds, `node` the node that made
    it.

    `moves` counts how often the client had to change member: a pin with more moves supersedes the other one wherever
    the two meet. `hits` lags behind by up to a tenth of the timeout, like `seen`, which is for display only. `expires`
    is the expiry of the table's entry, or follows from a cookie.
    """

    member: bytes
    created: float
    seen: float
    hits: int = 0
    moves: int = 0
    node: str = ""
    expires: float = inf

    def pack(self) -> bytes:
        """Return 26 bytes and the node's name."""
        return (
            _LAYOUT.pack(
                self.member,
                round(self.created * 1e6),
                int(self.seen),
                min(self.hits, _MAX_HITS),
                min(self.moves, _MAX_MOVES),
            )
            + self.node.encode()[:MAX_NODE_BYTES]
        )


_PLAIN = _LAYOUT.size
_unpack = _LAYOUT.unpack_from
_make = Pin._make
_REMEMBERED = 4096
"""Pins that are not unpacked again."""


@lru_cache(maxsize=_REMEMBERED)
def unpack_pin(value: bytes) -> Pin | None:
    """Return the pin packed in `value`, None if there is none."""
    size = len(value)
    if not _PLAIN <= size <= _PLAIN + MAX_NODE_BYTES:
        return None
    member, created, seen, hits, moves = _unpack(value)
    node = value[_PLAIN:].decode("utf-8", "replace") if size > _PLAIN else ""
    return _make((member, created / 1e6, float(seen), hits, moves, node, inf))


@lru_cache(maxsize=_REMEMBERED)
def pin_of(entry: Entry) -> Pin | None:
    """Return the pin in a table's entry, with its expiry; None if there is none."""
    pin = unpack_pin(entry.value)
    return None if pin is None else pin._replace(expires=entry.expires)


def merge_pins(one: bytes, other: bytes) -> bytes:
    """Return the one of two packed pins of a client that stands, whatever their order: the one with more moves, else
    the older one, else the smaller id. Two pins to one member become one with the data of both."""
    first, second = unpack_pin(one), unpack_pin(other)
    if first is None or second is None:
        return max(one, other) if first is second else (other if first is None else one)
    winner, loser = sorted((first, second), key=_rank)
    if winner.member != loser.member or winner.moves != loser.moves:
        return winner.pack()
    return winner._replace(seen=max(winner.seen, loser.seen), hits=max(winner.hits, loser.hits)).pack()


def first_pin(live: bytes, mine: bytes) -> bytes:
    """Return the one of two packed pins that stands on one machine: the live one, whose client was sent to its member
    already, unless `mine` has more moves. A refresh becomes one pin with the live one."""
    first, second = unpack_pin(live), unpack_pin(mine)
    if first is None or second is None:
        return mine if first is None else live
    if first.moves == second.moves and first.member == second.member:
        return merge_pins(live, mine)
    return mine if second.moves > first.moves else live


def _rank(pin: Pin) -> tuple[int, float, bytes, str]:
    return (-pin.moves, pin.created, pin.member, pin.node)
