"""Sets of IP networks, asked with an address in text."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_pton

Network = IPv4Network | IPv6Network

_MAPPED = bytes(10) + b"\xff\xff"


def network_rule(text: str) -> Network:
    """`10.0.0.0/8`, `fd00::/8` or one address. IPv4-mapped IPv6 becomes IPv4. Raises `ValueError`."""
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network


class NetworkSet:
    """Membership costs one look-up per prefix length in use, however many networks there are."""

    __slots__ = ("_by_length",)

    def __init__(self, networks: Iterable[Network]) -> None:
        by_length: dict[tuple[int, int], set[int]] = {}
        for network in networks:
            size = network.max_prefixlen // 8
            shift = network.max_prefixlen - network.prefixlen
            by_length.setdefault((size, shift), set()).add(int(network.network_address) >> shift)
        self._by_length = tuple((size, shift, frozenset(kept)) for (size, shift), kept in by_length.items())

    def __contains__(self, address: str) -> bool:
        packed = _packed(address)
        size = len(packed)
        number = int.from_bytes(packed, "big")
        return any(
            size == kept_size and number >> shift in kept for kept_size, shift, kept in self._by_length
        )


def _packed(address: str) -> bytes:
    """4 or 16 bytes; none if `address` is no IP address (the peer of a Unix socket has none)."""
    try:
        if ":" not in address:
            return inet_pton(AF_INET, address)
        packed = inet_pton(AF_INET6, address.partition("%")[0])
    except (OSError, ValueError):
        return b""
    return packed[12:] if packed.startswith(_MAPPED) else packed
