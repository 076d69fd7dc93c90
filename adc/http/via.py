"""`Via` (RFC 9110 section 7.6.3): what we write there, and how often we find it."""

from __future__ import annotations

from typing import Final

from adc.http.headers import Pair

_PSEUDONYM: Final = b"adc"
VIA: Final[Pair] = (b"Via", b"1.1 " + _PSEUDONYM)
"""The line that every message gets on its way through us."""

MOST_ROUNDS: Final = 10
"""Passes of a request that are no loop. More than one is no error: every node bears the same
name, and a route may well lead to another listener of its own node.
"""


def goes_round(via: bytes) -> bool:
    """True if a request whose `Via` has this value (several lines joined by commas) is in a loop through us."""
    via = via.lower()  # the name stands where a host could (RFC 9110 section 7.6.3)
    if via.count(_PSEUDONYM) <= MOST_ROUNDS:
        return False
    return sum(entry.split()[1:2] == [_PSEUDONYM] for entry in via.split(b",")) > MOST_ROUNDS
