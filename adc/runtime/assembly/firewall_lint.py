"""Probable mistakes in the rules of a firewall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adc.config import Config
from adc.config.model.firewall import Firewall
from adc.config.units import quote
from adc.firewall.filter import Filter
from adc.firewall.prefixes import Prefixes
from adc.firewall.rule import Ports, Rule, within

_FLOWS = frozenset({"tcp", "udp"})
"""Protocols of a rule without any."""

Finding = tuple[tuple[str | int, ...], str]

MOST_COMPARED = 500
"""Most earlier rules that one rule is compared with."""


def doubtful_rules(config: Config, firewall: Firewall, rules: Filter) -> Iterator[Finding]:
    """Yield rules that never decide, sets without networks or use, clients that are not seen, and a default that locks
    out all.
    """
    yield from _shadowed(rules)
    yield from _sets(firewall, rules.sets)
    if firewall.engine == "nftables":
        yield from _behind_proxies(config)
    if firewall.default != "accept":
        yield from _locked_out(config, firewall, rules)


def _shadowed(rules: Filter) -> Iterator[Finding]:
    deciding: list[int] = []
    for place, rule in enumerate(rules.rules):
        for before in deciding[:MOST_COMPARED]:
            earlier = rules.rules[before]
            if covers(earlier, rule, rules.sets):
                message = f"is never reached: rule {quote(earlier.name)} (rules[{before}]) decides on all its packets"
                yield ("firewall", "rules", place), f"rule {quote(rule.name)} {message}"
                break
        if rule.action != "count" and rule.over is None and rule.time is None:
            deciding.append(place)


def covers(wide: Rule, narrow: Rule, sets: Mapping[str, Prefixes]) -> bool:
    """True if `wide`, which has neither `over` nor `time`, matches every packet that `narrow` would."""
    return (
        wide.state >= narrow.state
        and (wide.protocol or _FLOWS) >= (narrow.protocol or _FLOWS)
        and _words(wide.listener, narrow.listener)
        and _words(wide.interface, narrow.interface)
        and _ports(wide.port, narrow.port)
        and _ports(wide.source_port, narrow.source_port)
        and _networks(wide.source, narrow.source, sets)
        and _networks(wide.destination, narrow.destination, sets)
    )


def _words(wide: frozenset[str], narrow: frozenset[str]) -> bool:
    return not wide or (bool(narrow) and wide >= narrow)


def _ports(wide: Ports, narrow: Ports) -> bool:
    if not wide:
        return True
    return bool(narrow) and all(
        any(low <= first and last <= high for low, high in wide) for first, last in narrow
    )


def _networks(wide: tuple[str, ...], narrow: tuple[str, ...], sets: Mapping[str, Prefixes]) -> bool:
    if not wide:
        return True
    return bool(narrow) and all(
        any(name == each or sets[name].covers(sets[each]) for name in wide) for each in narrow
    )


def _sets(firewall: Firewall, sets: Mapping[str, Prefixes]) -> Iterator[Finding]:
    used = {word for rule in firewall.rules for word in (*rule.source, *rule.destination)}
    for name in firewall.sets:
        if not sets[name]:
            yield ("firewall", "sets", name), f"set {quote(name)} has no networks, so that no rule matches it"
        if name not in used:
            yield ("firewall", "sets", name), f"set {quote(name)} is used by no rule"


def _behind_proxies(config: Config) -> Iterator[Finding]:
    """Yield the listeners whose clients only a PROXY protocol header names, which the kernel does not read."""
    for place, listener in enumerate(config.listeners):
        if listener.proxy_protocol:
            message = "with engine: nftables the firewall sees the senders of PROXY protocol headers, not the clients"
            yield (
                ("listeners", place, "proxy_protocol"),
                f"{message} that they name; engine: userspace sees both",
            )


def _locked_out(config: Config, firewall: Firewall, rules: Filter) -> Iterator[Finding]:
    """Yield the listeners of which no rule accepts any client."""
    for listener in config.listeners:
        protocol = "udp" if listener.protocol == "udp" else "tcp"
        ports = [address.port for address in listener.bind if not address.path]
        if ports and not any(_accepts(rule, listener.name, protocol, ports) for rule in rules.rules):
            clients = f"all clients of listener {quote(listener.name)}"
            yield ("firewall", "default"), f"{firewall.default} locks out {clients}: no rule accepts them"


def _accepts(rule: Rule, listener: str, protocol: str, ports: list[int]) -> bool:
    return (
        rule.action == "accept"
        and (not rule.protocol or protocol in rule.protocol)
        and (not rule.listener or listener in rule.listener)
        and (not rule.port or any(not port or within(port, rule.port) for port in ports))
    )
