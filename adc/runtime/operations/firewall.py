"""The firewall's rules and the flows that they matched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adc.firewall.filter import DEFAULT
from adc.runtime.operations.operation import Nothing, Operation

if TYPE_CHECKING:
    from adc.runtime.serve.view import Serving


@dataclass(frozen=True, slots=True)
class FirewallRow:
    """A rule in the order of decisions, the default last. `packets` counts the new flows that it matched."""

    rule: str
    action: str
    packets: int


class ListFirewall(Operation[Nothing, list[FirewallRow]]):
    """List the rules of the firewall with their counters; empty without one."""

    name = "firewall.list"
    reply = list[FirewallRow]
    path = "/api/v1/firewall"

    def run(self, worker: Serving, request: Nothing) -> list[FirewallRow]:
        rules = worker.firewall.filter
        if rules is None:
            return []
        named = [(rule.name, rule.action) for rule in rules.rules] + [(DEFAULT, rules.default)]
        return [FirewallRow(name, action, rules.counters[name]) for name, action in named]

    def merge(self, replies: Mapping[int, list[FirewallRow]]) -> list[FirewallRow]:
        merged: dict[str, FirewallRow] = {}
        for _, rows in sorted(replies.items()):
            for row in rows:
                known = merged.get(row.rule)
                merged[row.rule] = (
                    row if known is None else replace(known, packets=known.packets + row.packets)
                )
        return list(merged.values())


LIST = ListFirewall()
