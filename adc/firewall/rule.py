"""A rule of the firewall: its conditions on a packet. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from operator import attrgetter

from adc.firewall.packet import Address, Packet
from adc.firewall.prefixes import Prefixes
from adc.firewall.times import TimeWindow

Ports = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Over:
    """A rate: one event in `interval` seconds, `burst` at once, for each source, each prefix, or the whole rule."""

    interval: float
    burst: int
    per: str = "source"
    unit: str = "new_connections"

    def key(self, rule: str, source: Address) -> bytes:
        """Return the key of the bucket that a packet from `source` counts in."""
        name = rule.encode()
        if self.per == "rule":
            return name
        packed = source.packed
        v4 = isinstance(source, IPv4Address)
        if self.per == "source":
            return name + b"\0" + (packed if v4 else packed[:8])
        return name + b"\0" + (packed[:3] if v4 else b"6" + packed[:6])


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions that must all hold; an empty one always does. `source` and `destination` are sets by name, joined.

    `action` is accept, drop, reject or count. `log` is the most log lines in a second and at once, None for none.
    """

    name: str
    action: str
    source: tuple[str, ...] = ()
    destination: tuple[str, ...] = ()
    port: Ports = ()
    source_port: Ports = ()
    protocol: frozenset[str] = frozenset()
    state: frozenset[str] = field(default=frozenset({"new"}))
    interface: frozenset[str] = frozenset()
    listener: frozenset[str] = frozenset()
    time: TimeWindow | None = None
    over: Over | None = None
    log: tuple[float, int] | None = None

    def wants(self, protocol: str) -> bool:
        """Return True if packets of a protocol may match: without `protocol` a rule is about TCP and UDP."""
        return protocol in self.protocol or (not self.protocol and protocol != "icmp")

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Yield the keys of the rule and what they demand, but for `over`, which counts."""
        yield "state", lambda packet, sets, wall: packet.state in self.state
        if self.protocol:
            yield "protocol", lambda packet, sets, wall: packet.protocol in self.protocol
        if self.listener:
            yield "listener", lambda packet, sets, wall: packet.listener in self.listener
        if self.interface:
            yield "interface", lambda packet, sets, wall: packet.interface in self.interface
        if self.port:
            yield "port", lambda packet, sets, wall: within(packet.port, self.port)
        if self.source_port:
            yield "source_port", lambda packet, sets, wall: within(packet.source_port, self.source_port)
        if self.source:
            yield "source", _in_sets(self.source, attrgetter("source"))
        if self.destination:
            yield "destination", _in_sets(self.destination, attrgetter("destination"))
        if self.time is not None:
            window = self.time
            yield "time", lambda packet, sets, wall: window.holds(wall)


Condition = Callable[[Packet, Mapping[str, Prefixes], float], bool]
"""`(packet, sets, wall) -> bool`."""


def _in_sets(names: tuple[str, ...], address_of: Callable[[Packet], Address]) -> Condition:
    """Return the condition that an address is in one of the sets; nearly all rules have one."""
    if len(names) == 1:
        (name,) = names
        return lambda packet, sets, wall: address_of(packet) in sets[name]
    return lambda packet, sets, wall: any(address_of(packet) in sets[name] for name in names)


def within(port: int, ranges: Ports) -> bool:
    """True if `port` is in one of `ranges`, whose ends count."""
    for first, last in ranges:  # noqa: SIM110 - three times as fast as any()
        if first <= port <= last:
            return True
    return False
