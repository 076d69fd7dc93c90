"""`Via` (RFC 9110 section 7.6.3): what we write there, and how often we find it."""

from __future__ import annotations

from typing import Final

from adc.http.headers import Pair

_PSEUDONYM: Final = b"adc"
VIA: Final[Pair] = (b"Via", b"1.1 " + _PSEUDONYM)
"""The field that every message received as HTTP/1.1 gets on its way through us."""
_OTHER_VIA: Final = {"1.0": (b"Via", b"1.0 " + _PSEUDONYM), "2": (b"Via", b"2 " + _PSEUDONYM)}

MOST_ROUNDS: Final = 10
"""Passes of a request that are no loop. More than one is no error: every node bears the same
name, and a route may well lead to another listener of its own node.
"""


def via(version: str) -> Pair:
    """Return the `Via` field for a message that was received in `version` of HTTP."""
    return _OTHER_VIA.get(version, VIA)


def goes_round(value: bytes) -> bool:
    """True if a request whose `Via` has this value (several lines joined by commas) is in a loop through us."""
    value = value.lower()  # the name stands where a host could (RFC 9110 section 7.6.3)
    if value.count(_PSEUDONYM) <= MOST_ROUNDS:
        return False
    return sum(entry.split()[1:2] == [_PSEUDONYM] for entry in value.split(b",")) > MOST_ROUNDS
