"""A compiled set of IP networks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_CACHE_SIZE = 8192
_LONGEST_ADDRESS = 64
_MAPPED_PREFIX = 96


class Networks:
    """Tests if an address, written as text, is in one of several networks.

    `networks`, kept as `written`, are `10.0.0.0/8`, `2001:db8::/32` or single addresses. IPv4 addresses mapped into
    IPv6 count as IPv4.
    Raises ValueError for an invalid network or one with host bits set.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self.written = tuple(networks)
        prefixes: dict[tuple[int, int], set[int]] = {}
        for text in self.written:
            network = _unmapped(ip_network(text))
            shift = network.max_prefixlen - network.prefixlen
            prefixes.setdefault((network.version, shift), set()).add(int(network.network_address) >> shift)
        self._prefixes = [(version, shift, frozenset(found)) for (version, shift), found in prefixes.items()]
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._prefixes)

    def contains(self, text: str) -> bool:
        """True if `text` is an address in one of the networks; False for other text."""
        known = self._known.get(text)
        return self._look_up(text) if known is None else known

    def _look_up(self, text: str) -> bool:
        address = parse_address(text)
        if address is None:
            return False
        number = int(address)
        found = any(
            version == address.version and number >> shift in prefixes
            for version, shift, prefixes in self._prefixes
        )
        if len(self._known) >= _CACHE_SIZE:
            self._known.clear()
        self._known[text] = found
        return found


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Return a network of IPv4 addresses mapped into IPv6 as the IPv4 network."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED_PREFIX:
        return network
    return ip_network((mapped, network.prefixlen - _MAPPED_PREFIX))


def plain_address(text: str) -> str:
    """Return `text` with an IPv4 address mapped into IPv6, as a dual-stack socket names IPv4 clients, as IPv4."""
    return str(parse_address(text) or text) if text[:7].lower() == "::ffff:" else text


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that `text` writes, or None. IPv4 mapped into IPv6 becomes IPv4, a zone is dropped."""
    return _parse(text) if len(text) <= _LONGEST_ADDRESS else None


@lru_cache(maxsize=_CACHE_SIZE)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
