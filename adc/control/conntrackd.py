"""The configuration of conntrackd for the two nodes of a cluster."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from adc.control.settings import layout_of
from adc.firewall.conntrackd import conntrackd_config

if TYPE_CHECKING:
    from adc.config import Config


class NotTwoNodes(Exception):
    """The configuration does not describe two nodes; the text is for the user."""


def conntrackd_of(config: Config, peer: str, interface: str) -> str:
    """Return the text for this node. `peer` is the address of the other one, found in `cluster.peers` if empty.

    Raises NotTwoNodes, BindError.
    """
    cluster = config.cluster
    if cluster is None or cluster.advertise is None:
        raise NotTwoNodes(
            "there is no cluster.advertise: the address at which the other node reaches this one"
        )
    own = _literal(cluster.advertise.host, "cluster.advertise")
    others = [each.host for each in cluster.peers if each.host != own]
    if not peer and len(others) != 1:
        raise NotTwoNodes(
            f"conntrackd joins two nodes, and cluster.peers has {len(others)} others; name one: --peer"
        )
    addresses = dict.fromkeys(
        each.host
        for listener in config.listeners
        for each in layout_of(config)[listener.name]
        if each.kind != "unix" and each.host not in ("0.0.0.0", "::")
    )
    try:
        return conntrackd_config(
            own, _literal(peer or others[0], "peer"), interface, addresses or (own,), config.sessions.size
        )
    except ValueError as error:
        raise NotTwoNodes(str(error)) from None


def _literal(host: str, name: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        raise NotTwoNodes(f"{name} is {host!r}; conntrackd needs an IP address") from None
