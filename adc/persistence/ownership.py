"""Choice of the cluster node that serves a client which another node may know.

Two ways: *synchronise*, where the tables are shared and any node serves the clients that it finds there; and
*redirect*, where a node that does not know the client passes the request, once, to the node that does. It is found
without a query: each client has a home among the live nodes (rendezvous hashing), and an unknown client becomes known
there.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from hashlib import blake2b
from typing import Literal, NamedTuple

from adc.persistence.pin import Pin

OnUnknown = Literal["accept", "synchronise", "redirect"]


class Way(Enum):
    """SERVE the request on this node, or PASS it to another one."""

    SERVE = "serve"
    PASS = "pass"


class Route(NamedTuple):
    """`node` serves the client; `reason` is for logs and counters."""

    way: Way
    node: str
    reason: str


def home(client: bytes, nodes: Collection[str]) -> str:
    """Return the home among `nodes` of a client that is not known yet. A node that joins or leaves moves only the
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
    """Return where to serve the request of `client`. `living` are the reachable nodes, `passed_by` the
    node in a valid marker: such a request is never passed on again. Should the pass fail, serve here."""
    if passed_by is not None:
        return Route(Way.SERVE, me, "passed")
    if pin is not None:
        return Route(Way.SERVE, me, "known")
    if on_unknown != "redirect":
        return Route(Way.SERVE, me, "new")
    owner = home(client, {me, *living})
    return Route(Way.SERVE, me, "home") if owner == me else Route(Way.PASS, owner, "unknown")
