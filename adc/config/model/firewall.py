"""The stateful firewall: which new flows the listeners accept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from adc.config.model.base import Finding, Forms, Part, exactly_one, refusal
from adc.config.model.types import (
    LISTED,
    FilePath,
    Flag,
    Name,
    Names,
    Networks,
    Value,
    network_of,
    one_of,
    text_of,
    whole,
)
from adc.config.units import quote

ENGINES = ("userspace", "nftables")
ACTIONS = ("accept", "drop", "reject", "count")
STATES = ("new", "established", "related", "invalid")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
L4_PROTOCOLS = {"tcp": ("tcp",), "udp": ("udp",), "http": ("tcp",), "smtp": ("tcp",), "icmp": ("icmp",)}
"""Protocol in a rule -> protocols of its packets; `icmp` stands for ICMPv6 too."""

KERNEL_ONLY = "needs engine: nftables"

LONGEST_REFILL = 365 * 86400.0
"""Most seconds in which a burst is available again."""

_RATE = re.compile(r"([0-9]{1,9})/([smh])")
_PERIODS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class Rate(tuple[int, float]):
    """A number of events and the period of that number in seconds."""

    __slots__ = ()


def _rate(value: Any) -> Rate:
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if found is None or not int(found[1]):
        raise ValueError(
            f"{quote(value)} is not a rate; write a number from 1 and /s, /m or /h, such as 100/s"
        )
    return Rate((int(found[1]), _PERIODS[found[2]]))


def _ports(value: Any) -> tuple[int, int]:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    found = _PORTS.fullmatch(text) if isinstance(text, str) else None
    first, last = (int(found[1]), int(found[2] or found[1])) if found is not None else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise ValueError(
            f"{quote(value)} is not a port; write a number from 1 to 65535, or a range: 8000-8010"
        )
    return first, last


def _minutes(value: Any) -> int:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'{quote(value)} is not a time of day; write "08:00", in quotes')
    return int(found[1]) * 60 + int(found[2])


def _address_word(value: Any) -> str:
    """Return a network as written, the name of a set, or `any`."""
    if not isinstance(value, str) or not value or len(value) > 200:
        raise ValueError(f"{quote(value)} is not a network, any, or the name of a set")
    if is_network(value):
        network_of(value)
    return value


def is_network(word: str) -> bool:
    """True if `word` is meant as a network, not as the name of a set."""
    return "/" in word or ":" in word or _DOTTED.fullmatch(word) is not None


AddressWord = Annotated[
    str, Value(_address_word, {"type": "string", "description": "A network, any, or the name of a set."})
]
AddressWords = Annotated[tuple[AddressWord, ...], LISTED]
RateText = Annotated[
    Rate,
    Value(
        _rate, {"type": "string", "pattern": r"^[0-9]{1,9}/[smh]$|\$\{", "description": "N/s, N/m or N/h."}
    ),
]
PortRange = Annotated[
    tuple[int, int],
    Value(
        _ports,
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 65535},
                {"type": "string", "pattern": r"^[0-9]{1,5}(-[0-9]{1,5})?$|\$\{"},
            ],
            "description": "A port or a range: 8000-8010.",
        },
    ),
]
PortRanges = Annotated[tuple[PortRange, ...], LISTED]
Minutes = Annotated[
    int, Value(_minutes, {"type": "string", "pattern": r"^[0-9]{2}:[0-9]{2}$|\$\{", "description": "HH:MM."})
]
Interface = Annotated[
    str,
    text_of(
        r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,14}",
        "an interface: letters, digits, _ - and ., at most 15 characters, such as eth0",
    ),
]
Zone = Annotated[str, text_of(r"[A-Za-z0-9_+\-]{1,64}(?:/[A-Za-z0-9_+\-]{1,64}){0,2}", "a time zone")]


class FirewallSet(Part):
    """A named set of networks."""

    short_forms: ClassVar[Forms] = ({"type": "array"}, {"type": "string"})

    file: FilePath | None = Field(
        None,
        description=(
            "File with a network or address on each line and comments after #; read again when it changes."
        ),
    )
    networks: Networks = Field((), description="The networks; a list in place of the set means these.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"networks": value} if isinstance(value, list | str) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        yield from exactly_one(written, ("file", "networks"), "a set")


class FirewallOver(Part):
    """A rate above which a rule matches. Events up to the rate do not match."""

    new_connections: RateText | None = Field(None, description="New TCP connections and UDP sessions.")
    packets: RateText | None = Field(None, description=f"Packets; {KERNEL_ONLY}.")
    burst: Annotated[int, whole(1, 1_000_000_000)] | None = Field(
        None, description="Number of events at once that are not above the rate; its number by default."
    )
    per: Annotated[str, one_of("source", "prefix", "rule")] = Field(
        "source",
        description=(
            "What has a rate of its own: each source (an IPv4 address or an IPv6 /64), each prefix (an IPv4 /24 or an "
            "IPv6 /48), or the rule as a whole."
        ),
    )

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        yield from exactly_one(written, ("new_connections", "packets"), "over")
        burst = written.get("burst")
        for key in ("new_connections", "packets"):
            if isinstance(burst, int) and isinstance(written.get(key), str):
                yield from refusal(("burst",), str(burst), partial(_refills, written[key], burst))


def _refills(rate: str, burst: int) -> None:
    """Raise ValueError for a burst that takes too long to be available again."""
    try:
        count, period = _rate(rate)
    except ValueError:
        return  # reported at the rate
    if burst * period / count > LONGEST_REFILL:
        most = int(LONGEST_REFILL * count / period)
        raise ValueError(f"takes more than a year to be available again at {rate}; use at most {most}")


class FirewallTime(Part):
    """A window of the week. One that passes midnight belongs to the day on which it begins."""

    days: Annotated[tuple[Annotated[str, one_of(*DAYS)], ...], LISTED] = Field(
        DAYS, description="Days of the week: mon to sun; all by default."
    )
    from_: Minutes = Field(0, alias="from", description='First minute, such as "08:00".')
    to: Minutes | None = Field(
        None, description="The minute after the last one; the end of the day by default."
    )
    timezone: Zone = Field("UTC", description="Time zone, such as Europe/Berlin.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if not written:
            yield (), "is empty; give it days, from or to, or remove it"
        zone = written.get("timezone")
        if isinstance(zone, str):
            yield from refusal(("timezone",), zone, lambda: _zone(zone))
        if "from" in written and written.get("from") == written.get("to"):
            yield ("to",), "is the same as from; remove both to mean the whole day"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError):
        raise ValueError("there is no such time zone") from None


class FirewallLog(Part):
    """Log lines of the firewall. `true` is all defaults."""

    short_forms: ClassVar[Forms] = ({"type": "boolean"},)

    enabled: Flag = Field(True, description="false: no lines.")
    rate: RateText | None = Field(
        None,
        description=(
            "Most lines of a rule in each worker: N/s, N/m or N/h; 5/s by default, and for all rules together."
        ),
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"enabled": value} if isinstance(value, bool) else value


class FirewallRule(Part):
    """A rule; a list means any of, several keys mean all of."""

    name: Name = Field("", description="Name in logs and metrics; rule-N by default, counted from 1.")
    action: Annotated[str, one_of(*ACTIONS)] = Field(
        description="accept, drop, reject (reset TCP), or count and go on with the next rule."
    )
    source: AddressWords = Field((), description="Networks of the client, names of sets, or any.")
    destination: AddressWords = Field((), description="Networks of the address that the client uses.")
    port: PortRanges = Field((), description="Ports that the client uses, and ranges of them.")
    source_port: PortRanges = Field((), description="Ports of the client, and ranges of them.")
    protocol: Annotated[tuple[Annotated[str, one_of(*L4_PROTOCOLS)], ...], LISTED] = Field(
        (), description=f"tcp, udp, or icmp ({KERNEL_ONLY}); http and smtp mean tcp."
    )
    state: Annotated[tuple[Annotated[str, one_of(*STATES)], ...], LISTED] | None = Field(
        None,
        description=(
            "States of the flow: new, established, related, invalid; new by default, every state but invalid with "
            f"over.packets. Rules without new: {KERNEL_ONLY}."
        ),
    )
    interface: Annotated[tuple[Interface, ...], LISTED] = Field(
        (), description=f"Interfaces that packets come from; {KERNEL_ONLY}."
    )
    listener: Names = Field((), description="Names of the listeners that accept the flow.")
    time: FirewallTime | None = Field(None, description="When the rule is in force.")
    over: FirewallOver | None = Field(None, description="The rule matches above this rate only.")
    log: FirewallLog | None = Field(
        None,
        description="Log lines of this rule; those of firewall.log by default, none of accept and count.",
    )

    @property
    def states(self) -> tuple[str, ...]:
        """The states that the rule matches."""
        if self.state is not None:
            return self.state
        packets = self.over is not None and self.over.packets is not None
        return STATES[:3] if packets else STATES[:1]

    @property
    def l4_protocols(self) -> tuple[str, ...]:
        """The protocols of the packets that the rule matches; empty for all."""
        return tuple(dict.fromkeys(each for name in self.protocol for each in L4_PROTOCOLS[name]))

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        for key in (
            "source",
            "destination",
            "port",
            "source_port",
            "protocol",
            "state",
            "interface",
            "listener",
        ):
            if written.get(key) == []:
                yield (key,), "is empty, so that nothing matches; remove it to match everything"
        if written.get("protocol") in ("icmp", ["icmp"]):
            for key in {"port", "source_port", "listener"} & written.keys():
                yield (key,), "has no effect with protocol: icmp"


class Firewall(Part):
    """Rules for new flows of all listeners; the first match in order decides."""

    engine: Annotated[str, one_of(*ENGINES)] = Field(
        "userspace",
        description=(
            "userspace: listeners decide when they accept; nftables: the kernel decides, which needs root."
        ),
    )
    default: Annotated[str, one_of(*ACTIONS[:3])] = Field(
        "accept", description="Action for new flows that no rule matches: accept, drop or reject."
    )
    sets: Mapping[Name, FirewallSet] = Field({}, description="Named sets of networks.")
    rules: Annotated[tuple[FirewallRule, ...], LISTED] = Field(
        (), description="The first match in order decides."
    )
    log: FirewallLog = Field(FirewallLog.defaults(), description="Log lines of flows that are not accepted.")
    remove_on_exit: Flag = Field(
        False, description="Remove the kernel's rules when adc ends; with engine: nftables."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("rules"), list):
            rules = [
                {"name": f"rule-{place}"} | rule if isinstance(rule, dict) else rule
                for place, rule in enumerate(value["rules"], 1)
            ]
            return value | {"rules": rules}
        return value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        sets = written.get("sets")
        for name in sets if isinstance(sets, dict) else ():
            if isinstance(name, str) and (name == "any" or is_network(name)):
                yield ("sets", name), "is not a name for a set: in a rule it means addresses"
        rules = written.get("rules")
        if written.get("engine", "userspace") != "userspace":
            return
        if "remove_on_exit" in written:
            yield ("remove_on_exit",), "has no effect with engine: userspace"
        for place, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, dict):
                yield from _kernel_only(("rules", place), rule)


def _kernel_only(at: tuple[str | int, ...], rule: Mapping[str, Any]) -> Iterable[Finding]:
    """Yield what a listener, which sees new flows only, cannot see."""
    if "interface" in rule:
        yield (*at, "interface"), f"{KERNEL_ONLY}: a listener does not see interfaces"
    over = rule.get("over")
    if isinstance(over, dict) and "packets" in over:
        yield (*at, "over", "packets"), f"{KERNEL_ONLY}: a listener sees new flows, not packets"
    protocol = rule.get("protocol")
    if "icmp" in (protocol if isinstance(protocol, list) else [protocol]):
        yield (*at, "protocol"), f"icmp {KERNEL_ONLY}: no listener receives it"
    state = rule.get("state")
    if "new" not in (state if isinstance(state, list) else [state]) and state not in (None, []):
        yield (*at, "state"), f"without new {KERNEL_ONLY}: a listener sees new flows only"
