"""What the kernel forwards for a listener: addresses, members and times, without the configuration model."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from math import ceil

IN_TURN, AT_RANDOM, BY_SOURCE = "in_turn", "at_random", "by_source"
"""Choices of a member that nftables can express."""

ANY4, ANY6 = "0.0.0.0", "::"


@dataclass(frozen=True, slots=True)
class Target:
    """A member: a literal IP address, a port, and its weight, which is above 0."""

    host: str
    port: int
    weight: int = 1

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.host else 4

    @property
    def key(self) -> str:
        """The member as an element of a set."""
        return f"{self.host} . {self.port}"


@dataclass(frozen=True, slots=True)
class Times:
    """Idle times of conntrack entries, in seconds. The kernel counts whole seconds."""

    tcp: float = 350.0
    tcp_half_closed: float = 30.0
    udp: float = 30.0
    udp_stream: float = 120.0


@dataclass(frozen=True, slots=True)
class Service:
    """A listener with the kernel as its data path.

    `targets` receive new flows; `members` are all of them, those that are down or drained included. `addresses` are
    literal hosts with their port. `pick_up`: a segment without an entry opens one (`on_unknown: accept`). `resets`:
    such a segment is answered with RST, else dropped. `own_source`: members see this node's address. A listener that
    workers serve does not `forward`: the kernel only keeps its flows' times and rejects segments of unknown ones.
    """

    name: str
    protocol: str
    addresses: tuple[tuple[str, int], ...]
    targets: tuple[Target, ...]
    members: tuple[Target, ...]
    choice: str = IN_TURN
    own_source: bool = True
    pick_up: bool = False
    resets: bool = True
    times: Times = Times()
    forwards: bool = True

    @property
    def families(self) -> tuple[int, ...]:
        """4, 6 or both: the families of the addresses."""
        return tuple(sorted({family_of(host) for host, _ in self.addresses}))


def family_of(host: str) -> int:
    """Return 4 or 6. Raises ValueError for a host that is no IP address."""
    return ipaddress.ip_address(host).version


def seconds(time: float) -> int:
    """Return whole seconds, at least one."""
    return max(1, ceil(time))
