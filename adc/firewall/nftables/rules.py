"""The firewall's rules as nftables rules, for packets to the addresses of listeners and for ICMP to this node.

Packets to other ports never reach them, so that no rule and no default locks the operator out. A rule out of its time
is left out: the caller, which knows time zones, makes the table anew when a window begins or ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop

from adc.firewall.filter import DEFAULT, Filter
from adc.firewall.nftables.datapath import places
from adc.firewall.nftables.table import Table
from adc.firewall.prefixes import Prefixes, joined
from adc.firewall.rule import Over, Ports, Rule

MOST_SOURCES = 65_536
"""Sources whose rate a rule remembers."""

GUARD = "type filter hook prerouting priority -155; policy accept;"
GUARD_LOCAL = "type filter hook output priority -155; policy accept;"
DEFAULT_COUNTER = "default"

_ESSENTIAL = "icmpv6 type 133-137 accept"
"""Neighbour discovery (RFC 4861): without it a machine has no neighbours and no router."""

_UNITS = ((1.0, "second"), (60.0, "minute"), (3600.0, "hour"), (86400.0, "day"))
_KEYS = {
    ("source", 4): "ip saddr",
    ("source", 6): "ip6 saddr & ffff:ffff:ffff:ffff::",
    ("prefix", 4): "ip saddr & 255.255.255.0",
    ("prefix", 6): "ip6 saddr & ffff:ffff:ffff::",
}
_IP = {4: "ip", 6: "ip6"}


@dataclass(frozen=True, slots=True)
class Guarded:
    """A listener as the rules see it. `local`: programs on this node reach it past `prerouting`, by translation."""

    name: str
    protocol: str
    addresses: tuple[tuple[str, int], ...]
    local: bool = False


def add_rules(table: Table, rules: Filter, listeners: tuple[Guarded, ...], wall: float) -> None:
    """Have the rules in force at `wall` (Unix seconds) in the table."""
    table.add("chain", "guard", GUARD)
    table.add("chain", "guard_local", GUARD_LOCAL)
    active = [rule for rule in rules.rules if rule.time is None or rule.time.holds(wall)]
    for rule in rules.rules:
        table.add("counter", counter_of(rule.name))
    table.add("counter", DEFAULT_COUNTER)
    for rule in active:
        _add_sets(table, rules, rule)
        _add_verdict(table, rule)
    _add_default(table, rules.default)
    for listener in listeners:
        _add_listener(table, active, listener)
    _add_icmp(table, active)


def counter_of(name: str) -> str:
    """Return the name of a rule's counter."""
    return DEFAULT_COUNTER if name == DEFAULT else f"rule_{name}"


def _add_listener(table: Table, active: list[Rule], listener: Guarded) -> None:
    chain = f"filter_{listener.name}"
    table.add("chain", chain)
    for place in places(listener.addresses, listener.protocol, groups=True):
        for hook in ("guard", "guard_local") if listener.local else ("guard",):
            table.rule(hook, f"{place} jump {chain}")
    for rule in active:
        if rule.protocol and listener.protocol not in rule.protocol:
            continue
        if rule.listener and listener.name not in rule.listener:
            continue
        for line in _lines(table, rule, ports=True):
            table.rule(chain, line)
    table.rule(chain, "ct state != { established, related } jump default")


def _add_icmp(table: Table, active: list[Rule]) -> None:
    rules = [
        rule for rule in active if rule.wants("icmp") and not (rule.listener or rule.port or rule.source_port)
    ]
    if not rules:
        return
    table.add("chain", "icmp_guard")
    table.rule("guard", "meta l4proto { icmp, ipv6-icmp } fib daddr type local jump icmp_guard")
    table.rule("icmp_guard", _ESSENTIAL)
    for rule in rules:
        for line in _lines(table, rule, ports=False):
            table.rule("icmp_guard", line)


def _lines(table: Table, rule: Rule, *, ports: bool) -> Iterator[str]:
    """Yield the rule once for both families, or once for each where addresses matter."""
    common = [f"ct state {_any_of(sorted(rule.state))}"]
    if ports and rule.port:
        common.append(f"th dport {_ranges(rule.port)}")
    if ports and rule.source_port:
        common.append(f"th sport {_ranges(rule.source_port)}")
    if rule.interface:
        common.append("iifname " + _any_of([f'"{name}"' for name in sorted(rule.interface)]))
    by_family = rule.source or rule.destination or (rule.over is not None and rule.over.per != "rule")
    for family in (4, 6) if by_family else (0,):
        words = list(common)
        for side, names in (("saddr", rule.source), ("daddr", rule.destination)):
            if names:
                words.append(f"{_IP[family]} {side} @{_set_name(rule, side, names, family)}")
        if rule.over is not None:
            words.append(_over(table, rule.name, rule.over, family))
        yield f"{' '.join(words)} jump do_{rule.name}"


def _over(table: Table, name: str, over: Over, family: int) -> str:
    """Return the match of packets above a rate; each source has an element that times out once its bucket is full."""
    rate = f"limit rate over {_rate(over.interval)} burst {over.burst} packets"
    if over.per == "rule":
        limit = f"limit_{name}_{_rate(over.interval).replace('/', '_')}_{over.burst}"
        table.add("limit", limit, f"rate over {_rate(over.interval)} burst {over.burst} packets")
        return f'limit name "{limit}"'
    key = _KEYS[over.per, family]
    meter = f"rate{family}_{name}_{_rate(over.interval).replace('/', '_')}_{over.burst}_{over.per}"
    full = max(1, round(over.interval * over.burst) + 1)
    table.add(
        "set",
        meter,
        f"typeof {_IP[family]} saddr; size {MOST_SOURCES}; flags dynamic,timeout; timeout {full}s;",
    )
    return f"update @{meter} {{ {key} {rate} }}"


def _rate(interval: float) -> str:
    """Return a rate in whole events per unit."""
    for period, unit in _UNITS:
        count = period / interval
        if count >= 1 and abs(count - round(count)) < 1e-6:
            return f"{round(count)}/{unit}"
    return f"{max(1, round(86400.0 / interval))}/day"


def _add_verdict(table: Table, rule: Rule) -> None:
    chain = f"do_{rule.name}"
    table.add("chain", chain)
    table.rule(chain, f'counter name "{counter_of(rule.name)}"')
    if rule.log is not None:
        each, at_once = rule.log
        text = f"adc {rule.name[:100]} {rule.action}: "  # the kernel takes 127 characters
        table.rule(
            chain, f'limit rate {_rate(1 / each)} burst {at_once} packets log prefix "{text}" level info'
        )
    for line in _verdict(rule.action):
        table.rule(chain, line)


def _add_default(table: Table, action: str) -> None:
    table.add("chain", "default")
    table.rule("default", f'counter name "{DEFAULT_COUNTER}"')
    for line in _verdict(action):
        table.rule("default", line)


def _verdict(action: str) -> tuple[str, ...]:
    if action == "reject":
        return ("meta l4proto tcp reject with tcp reset", "reject with icmpx type port-unreachable")
    return () if action == "count" else (action,)


def _add_sets(table: Table, rules: Filter, rule: Rule) -> None:
    for side, names in (("saddr", rule.source), ("daddr", rule.destination)):
        for family in (4, 6) if names else ():
            name = _set_name(rule, side, names, family)
            table.add("set", name, f"type ipv{family}_addr; flags interval;")
            table.fill(name, _elements(joined([rules.sets[each] for each in names]), family))


def _set_name(rule: Rule, side: str, names: tuple[str, ...], family: int) -> str:
    """Return the set of one configured set, else the rule's own, which joins several."""
    if len(names) == 1 and ":" not in names[0]:
        return f"set{family}_{names[0]}"
    return f"{side}{family}_{rule.name}"


def _elements(prefixes: Prefixes, family: int) -> Iterator[str]:
    kind, size = (AF_INET, 4) if family == 4 else (AF_INET6, 16)
    for first, end in prefixes.ranges(family):
        text = inet_ntop(kind, first.to_bytes(size, "big"))
        yield text if end - first == 1 else f"{text}-{inet_ntop(kind, (end - 1).to_bytes(size, 'big'))}"


def _any_of(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{{ {', '.join(words)} }}"


def _ranges(ports: Ports) -> str:
    merged: list[list[int]] = []
    for first, last in sorted(ports):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    return _any_of([str(first) if first == last else f"{first}-{last}" for first, last in merged])
