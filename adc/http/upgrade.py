"""Offers to switch protocols (RFC 9110 section 7.8): which part of one a member may see."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from adc.http.fields import elements

WEBSOCKET: Final = frozenset({b"websocket"})
"""The protocols that a route passes on unless it names others."""
NEVER: Final = frozenset({b"h2", b"h2c", b"h3", b"http", b"tls"})
"""Names of protocols that carry HTTP requests: behind such a switch requests would reach the member past the routes."""


def passable(value: bytes) -> bytes:
    """Return the offer in the `Upgrade` field `value` without the protocols that are never passed on."""
    return b", ".join([each for each in elements(value) if name_of(each) not in NEVER])


def among(offer: bytes, protocols: AbstractSet[bytes]) -> bytes:
    """Return the part of `offer` that `protocols` allow; a protocol without a version allows every version of it."""
    kept = [each for each in elements(offer) if each.lower() in protocols or name_of(each) in protocols]
    return b", ".join(kept)


def offers(offer: bytes, protocol: bytes) -> bool:
    """True if `offer` lists `protocol`."""
    chosen = protocol.lower()
    return any(each.lower() == chosen for each in elements(offer))


def name_of(protocol: bytes) -> bytes:
    """Return the lower-case name of `protocol`, without its version."""
    return protocol.partition(b"/")[0].lower()
