"""What the rules of a firewall see of a packet. No I/O."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple

from adc.http.networks import parse_address

Address = IPv4Address | IPv6Address


class Packet(NamedTuple):
    """A packet; the first of a flow has the state new. `protocol` is tcp, udp or icmp; ports of icmp are 0.

    `interface` and `listener` are names, "" if unknown.
    """

    protocol: str
    source: Address
    source_port: int
    destination: Address
    port: int
    state: str = "new"
    interface: str = ""
    listener: str = ""


def packet_of(protocol: str, client: Any, own: Any, listener: str) -> Packet | None:
    """Return the first packet of a flow between two addresses as sockets give them; None for other than IP.

    IPv4 addresses mapped into IPv6 become IPv4; zones are dropped.
    """
    if not isinstance(client, tuple) or not isinstance(own, tuple):
        return None
    source, destination = parse_address(client[0]), parse_address(own[0])
    if source is None or destination is None:
        return None
    return Packet(protocol, source, client[1], destination, own[1], listener=listener)
