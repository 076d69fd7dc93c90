"""The decision about a packet: the first rule that matches. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adc.firewall.buckets import Buckets
from adc.firewall.packet import Packet
from adc.firewall.prefixes import ANY, Prefixes
from adc.firewall.rule import Condition, Rule

DEFAULT = "(default)"
"""Stands for a rule's name where no rule matched."""

ESTABLISHED = "(established)"
"""Stands for a rule's name where a packet belongs to an accepted flow and no rule wants it."""

UNFILTERED = "(not filtered)"
"""Stands for a rule's name where the default does not apply: ICMP that no rule wants, and packets to no listener."""

SELECTING = ("state", "protocol", "listener")
"""Conditions that all new flows of a listener share."""

MOST_SELECTIONS = 1024
"""Listeners, protocols and states whose rules are kept."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`action` is accept, drop or reject; `rule` is None if no rule decided. `name` is the rule's, or stands for it.

    `counted` are the rules with the action count that matched before.
    """

    action: str
    rule: Rule | None
    name: str
    counted: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One examined condition of a rule. `key` is "" for a rule without conditions."""

    rule: int
    key: str
    holds: bool


class Filter:
    """Rules in order. `counters` holds the packets that each rule matched, by name, the default's among them."""

    def __init__(
        self,
        rules: Iterable[Rule],
        default: str,
        sets: Mapping[str, Prefixes],
        buckets: Buckets | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self.default = default
        self.sets = {"any": ANY, **sets}
        self.buckets = buckets or Buckets()
        self.counters: dict[str, int] = {rule.name: 0 for rule in self.rules} | {DEFAULT: 0}
        self._compiled = [(rule, dict(rule.conditions())) for rule in self.rules]
        self._selected: dict[tuple[str, str, str], list[tuple[Rule, list[Condition]]]] = {}

    def decide(self, packet: Packet, now: float, wall: float, rates: bool = True) -> Decision:
        """Return the decision at `now` (monotonic) and `wall` (Unix) seconds; without `rates` skip rules with over.

        ICMP meets the rules that name it, and no default: it also carries what TCP and IPv6 cannot do without.
        """
        sets, counters = self.sets, self.counters
        counted: tuple[Rule, ...] = ()
        for rule, conditions in self._selection(packet):
            over = rule.over
            if over is not None and not rates:
                continue
            for condition in conditions:
                if not condition(packet, sets, wall):
                    break
            else:
                if over is not None and not self._is_over(rule, packet, now):
                    continue
                counters[rule.name] += 1
                if rule.action != "count":
                    return Decision(rule.action, rule, rule.name, counted)
                counted = (*counted, rule)
        if packet.state in ("established", "related"):
            return Decision("accept", None, ESTABLISHED, counted)
        if packet.protocol == "icmp":
            return Decision("accept", None, UNFILTERED, counted)
        counters[DEFAULT] += 1
        return Decision(self.default, None, DEFAULT, counted)

    def _selection(self, packet: Packet) -> list[tuple[Rule, list[Condition]]]:
        """Return the rules that packets of this protocol, listener and state may match, with their other conditions."""
        key = packet.protocol, packet.listener, packet.state
        found = self._selected.get(key)
        if found is None:
            found = [
                (rule, [condition for name, condition in conditions.items() if name not in SELECTING])
                for rule, conditions in self._compiled
                if rule.wants(packet.protocol)
                and all(conditions[name](packet, self.sets, 0.0) for name in SELECTING if name in conditions)
            ]
            if len(self._selected) >= MOST_SELECTIONS:
                self._selected.clear()
            self._selected[key] = found
        return found

    def _is_over(self, rule: Rule, packet: Packet, now: float) -> bool:
        over = rule.over
        if over is None:
            return True
        return self.buckets.over(over.key(rule.name, packet.source), over.interval, over.burst, now)

    def explain(self, packet: Packet, wall: float) -> tuple[list[Step], Decision]:
        """Return the examined conditions and the decision for a flow below all rates; nothing is counted."""
        steps: list[Step] = []
        counted: tuple[Rule, ...] = ()
        for number, rule in enumerate(self.rules):
            holds = rule.wants(packet.protocol)
            if not holds:
                steps.append(Step(number, "protocol", False))
                continue
            for key, condition in rule.conditions():
                holds = condition(packet, self.sets, wall)
                steps.append(Step(number, key, holds))
                if not holds:
                    break
            if holds and rule.over is not None:
                steps.append(Step(number, "over", False))
                holds = False
            if holds and rule.action != "count":
                return steps, Decision(rule.action, rule, rule.name, counted)
            if holds:
                counted = (*counted, rule)
        if packet.state in ("established", "related"):
            return steps, Decision("accept", None, ESTABLISHED, counted)
        if packet.protocol == "icmp":
            return steps, Decision("accept", None, UNFILTERED, counted)
        return steps, Decision(self.default, None, DEFAULT, counted)

    def adopt(self, previous: Filter) -> None:
        """Continue the counters of `previous`, by name of rule."""
        for name, count in previous.counters.items():
            if name in self.counters:
                self.counters[name] = count
