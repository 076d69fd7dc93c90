"""The firewall's rules and sets, from the model."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from ipaddress import ip_network

from adc.config.model.firewall import DAYS, Firewall, FirewallLog, FirewallOver, FirewallRule, is_network
from adc.firewall.buckets import Buckets
from adc.firewall.filter import Filter
from adc.firewall.prefixes import Prefixes
from adc.firewall.rule import Over, Rule
from adc.firewall.set_text import MAX_BYTES, BadSet, parse_set
from adc.firewall.times import DAY_MINUTES, TimeWindow


def filter_of(firewall: Firewall, sets: Mapping[str, Prefixes], buckets: Buckets | None = None) -> Filter:
    """Return the rules of `firewall` on its named `sets`."""
    inline: dict[str, Prefixes] = {}
    rules = [_rule(rule, firewall.log, inline) for rule in firewall.rules]
    return Filter(rules, firewall.default, {**sets, **inline}, buckets)


def read_sets(firewall: Firewall) -> dict[str, Prefixes]:
    """Return the named sets; those with files are read now. Raises OSError, BadSet."""
    return {
        name: Prefixes(each.networks) if each.file is None else read_set(each.file)
        for name, each in firewall.sets.items()
    }


def read_set(file: str) -> Prefixes:
    """Return the networks in a file. Raises OSError, BadSet; a pipe or a device, which may have no end, is a BadSet."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise BadSet(f"{file}: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadSet(f"{file}: not a regular file")
        with open(descriptor, "rb", closefd=False) as opened:
            return parse_set(opened.read(MAX_BYTES + 1), file)
    finally:
        os.close(descriptor)


def log_of(log: FirewallLog) -> tuple[float, int] | None:
    """Return the most lines in a second and at once, None for none."""
    count, period = log.rate or (5, 1.0)
    return (count / period, count) if log.enabled else None


def _rule(rule: FirewallRule, log: FirewallLog, inline: dict[str, Prefixes]) -> Rule:
    refuses = rule.action in ("drop", "reject")
    written = rule.log or (log if refuses else None)
    return Rule(
        name=rule.name,
        action=rule.action,
        source=_sets(rule.source, f"{rule.name}:source", inline),
        destination=_sets(rule.destination, f"{rule.name}:destination", inline),
        port=rule.port,
        source_port=rule.source_port,
        protocol=frozenset(rule.l4_protocols),
        state=frozenset(rule.states),
        interface=frozenset(rule.interface),
        listener=frozenset(rule.listener),
        time=_window(rule),
        over=None if rule.over is None else _over(rule.over),
        log=None if written is None else log_of(written),
    )


def _sets(words: Iterable[str], name: str, inline: dict[str, Prefixes]) -> tuple[str, ...]:
    """Return the sets that `words` name; the networks among them become a set called `name`."""
    networks = [ip_network(word) for word in words if is_network(word)]
    named = tuple(word for word in words if not is_network(word))
    if "any" in named:
        return ()
    if networks:
        inline[name] = Prefixes(networks)
        return (*named, name)
    return named


def _window(rule: FirewallRule) -> TimeWindow | None:
    time = rule.time
    if time is None:
        return None
    end = DAY_MINUTES if time.to is None else time.to
    return TimeWindow([DAYS.index(day) for day in time.days], time.from_, end, time.timezone)


def _over(over: FirewallOver) -> Over:
    unit = "packets" if over.packets is not None else "new_connections"
    count, period = over.packets or over.new_connections or (1, 1.0)
    return Over(period / count, over.burst or count, over.per, unit)


__all__ = ["BadSet", "filter_of", "log_of", "read_set", "read_sets"]
