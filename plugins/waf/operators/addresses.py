"""Client addresses in networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from .model import Match, Operator

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class IpMatch(Operator):
    """The value is an address in one of the networks; text that is no address matches nothing."""

    def __init__(self, networks: Iterable[bytes]) -> None:
        parsed: list[_Network] = [ipaddress.ip_network(text.decode(), strict=False) for text in networks]
        self._masks: dict[tuple[int, int], set[int]] = {}
        for network in parsed:
            self._masks.setdefault((network.version, int(network.netmask)), set()).add(
                int(network.network_address)
            )

    def match(self, value: bytes) -> Match | None:
        """Return the address if one of the networks contains it."""
        try:
            address = ipaddress.ip_address(value.decode("ascii"))
        except ValueError:
            return None
        number = int(address)
        for (version, mask), networks in self._masks.items():
            if version == address.version and number & mask in networks:
                return (value,)
        return None


def networks_of_list(argument: bytes) -> list[bytes]:
    """Return the networks of `10.0.0.0/8, ::1`."""
    return [item for part in argument.split(b",") if (item := part.strip())]


def networks_of_file(content: bytes) -> list[bytes]:
    """Return the networks of a file, one a line; `#` begins a comment."""
    return [item for line in content.splitlines() if (item := line.partition(b"#")[0].strip())]
