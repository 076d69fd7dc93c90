"""Which node of a cluster serves a client that may be known elsewhere, and the mark that keeps requests from
circling.

Two ways: *synchronise*, where the tables are shared and any node serves what it finds there; and *redirect*,
where a node that does not know the client passes the request, once, to the node that does. Which node that
is needs no asking: each client has a home among the living nodes (rendezvous hashing), and a client nobody
knows is made known there.
"""

from __future__ import annotations

import binascii
from collections.abc import Collection
from enum import Enum
from hashlib import blake2b
from hmac import compare_digest
from typing import Literal, NamedTuple

from adc.persistence.pin import Pin

MARKER_LIFE = 10.0
_MAC_BYTES = 16
_MAX_MARKER = 400

OnUnknown = Literal["accept", "synchronise", "redirect"]


class Way(Enum):
    """SERVE the request on this node, or PASS it to another one."""

    SERVE = "serve"
    PASS = "pass"


class Route(NamedTuple):
    """`node` is who serves; `reason` says why, for logs and counters."""

    way: Way
    node: str
    reason: str


def home(client: bytes, nodes: Collection[str]) -> str:
    """The node among `nodes` where a client not known yet belongs. A node that comes or goes moves only the
    clients whose home it is. Raises ValueError without nodes."""
    return max(
        nodes, key=lambda node: (blake2b(client, key=node.encode()[:64], digest_size=8).digest(), node)
    )


def route(
    client: bytes,
    pin: Pin | None,
    me: str,
    living: Collection[str],
    on_unknown: OnUnknown,
    passed_by: str | None,
) -> Route:
    """Where the request of `client` is served. `living` are the nodes that can be reached, `passed_by` the
    node in a valid marker: such a request is never passed on again. Should the pass fail, serve here."""
    if passed_by is not None:
        return Route(Way.SERVE, me, "passed")
    if pin is not None:
        return Route(Way.SERVE, me, "known")
    if on_unknown != "redirect":
        return Route(Way.SERVE, me, "new")
    owner = home(client, {me, *living})
    return Route(Way.SERVE, me, "home") if owner == me else Route(Way.PASS, owner, "unknown")


class Markers:
    """Signs requests that are passed on, and checks those that arrive. All nodes share `secret`."""

    def __init__(self, secret: bytes, cluster: str) -> None:
        self._key = blake2b(
            cluster.encode(), key=blake2b(secret, digest_size=32).digest(), digest_size=32
        ).digest()

    def sign(self, sender: str, receiver: str, now: float) -> bytes:
        """The marker's field value: valid for MARKER_LIFE seconds, at `receiver` only."""
        body = b"%s %d" % (sender.encode().hex().encode(), int(now))
        return body + b" " + self._mac(body, receiver)

    def sender(self, value: bytes, me: str, now: float) -> str | None:
        """Which node passed the request on to `me`; None if the marker is forged, stale or for another
        node."""
        body, _, mac = value.rpartition(b" ")
        if len(value) > _MAX_MARKER or not compare_digest(self._mac(body, me), mac):
            return None
        name, _, signed = body.partition(b" ")
        if abs(now - int(signed)) > MARKER_LIFE:
            return None
        return bytes.fromhex(name.decode("ascii")).decode()

    def _mac(self, body: bytes, receiver: str) -> bytes:
        data = body + b"\0" + receiver.encode()
        return binascii.hexlify(blake2b(data, key=self._key, digest_size=_MAC_BYTES).digest())
