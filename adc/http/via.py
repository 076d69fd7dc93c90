"""`Via` (RFC 9110 section 7.6.3): adc's entry, and the number of times that a message has one."""

from __future__ import annotations

from typing import Final

from adc.http.headers import Pair

_PSEUDONYM: Final = b"adc"
VIA: Final[Pair] = (b"Via", b"1.1 " + _PSEUDONYM)
"""The field that every message received as HTTP/1.1 gets on its way through us."""
_OTHER_VIA: Final = {"1.0": (b"Via", b"1.0 " + _PSEUDONYM), "2": (b"Via", b"2 " + _PSEUDONYM)}

MOST_ROUNDS: Final = 10
"""Passes of a request that are no loop. Several passes are legitimate: every node has the same name, and a route may
lead to another listener of its node."""


def via(version: str) -> Pair:
    """True if a request whose `Via` has this value (several lines joined by commas) is in a loop through adc."""
    return _OTHER_VIA.get(version, VIA)


def goes_round(value: bytes) -> bool:
    """True if a request whose `Via` has this value (several lines joined by commas) is in a loop through us."""
    value = value.lower()  # the name stands where a host could (RFC 9110 section 7.6.3)
    if value.count(_PSEUDONYM) <= MOST_ROUNDS:
        return False
    return sum(entry.split()[1:2] == [_PSEUDONYM] for entry in value.split(b",")) > MOST_ROUNDS
