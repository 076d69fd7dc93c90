"""Sets of IP networks that answer with one binary search, whatever their size. No I/O."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

Range = tuple[int, int, int]
"""IP version, first address, and the one after the last."""

_MAPPED_PREFIX = 96


class Prefixes:
    """Networks merged into ranges. IPv4 networks mapped into IPv6 count as IPv4."""

    __slots__ = ("_v4", "_v6")

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._set(range_of(network) for network in networks)

    @classmethod
    def of_ranges(cls, ranges: Iterable[Range]) -> Prefixes:
        """Return the set of all addresses in `ranges`."""
        found = cls()
        found._set(ranges)
        return found

    def _set(self, ranges: Iterable[Range]) -> None:
        v4: list[tuple[int, int]] = []
        v6: list[tuple[int, int]] = []
        for version, first, end in ranges:
            (v4 if version == 4 else v6).append((first, end))
        self._v4, self._v6 = _bounds(v4), _bounds(v6)

    def __contains__(self, address: Address) -> bool:
        bounds = self._v4 if address.version == 4 else self._v6
        return bisect_right(bounds, int(address)) % 2 == 1

    def __bool__(self) -> bool:
        return bool(self._v4 or self._v6)

    def ranges(self, version: int) -> list[tuple[int, int]]:
        """Return the merged ranges of one IP version: the first address, and the one after the last."""
        bounds = self._v4 if version == 4 else self._v6
        return list(zip(bounds[::2], bounds[1::2], strict=True))

    def covers(self, other: Prefixes) -> bool:
        """True if every address of `other` is in this set."""
        return _cover(self._v4, other._v4) and _cover(self._v6, other._v6)


def range_of(network: Network) -> Range:
    """Return the addresses of a network; one of IPv4 mapped into IPv6 counts as IPv4."""
    plain = _unmapped(network)
    first = int(plain.network_address)
    return plain.version, first, first + plain.num_addresses


def _bounds(ranges: list[tuple[int, int]]) -> list[int]:
    """Return first, end, first, end, ... of the merged ranges: a number inside has an odd number of bounds up to it."""
    bounds: list[int] = []
    for first, end in sorted(ranges):
        if bounds and first <= bounds[-1]:
            bounds[-1] = max(bounds[-1], end)
        else:
            bounds += (first, end)
    return bounds


def joined(sets: Iterable[Prefixes]) -> Prefixes:
    """Return the union of `sets`."""
    union = Prefixes()
    every = list(sets)
    union._v4 = _bounds([bounds for each in every for bounds in each.ranges(4)])
    union._v6 = _bounds([bounds for each in every for bounds in each.ranges(6)])
    return union


def _cover(wide: list[int], narrow: list[int]) -> bool:
    for first, end in zip(narrow[::2], narrow[1::2], strict=True):
        place = bisect_right(wide, first)
        if place % 2 == 0 or wide[place] < end:
            return False
    return True


def _unmapped(network: Network) -> Network:
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED_PREFIX:
        return network
    return ip_network((mapped, network.prefixlen - _MAPPED_PREFIX))


ANY = Prefixes((ip_network("0.0.0.0/0"), ip_network("::/0")))
