"""Evaluation, when rules are loaded, of those whose result depends on no request.

What they set becomes the TX with which each transaction begins, and rules that they skip are left out. Between rules
that depend on the request, a rule is evaluated here only if no order of events could tell the difference; only rules
of phase 5 may see a variable that was to be set after a rule intervened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.collect.variables import Variables
from adc_plugins.waf.engine.evaluation import evaluate
from adc_plugins.waf.engine.limits import EngineLimits
from adc_plugins.waf.engine.persistent import NothingKept
from adc_plugins.waf.engine.rule import CompiledRule
from adc_plugins.waf.engine.state import ON, State
from adc_plugins.waf.engine.tx_use import TxUse, condition_reads, links_of, tx_use

_NO_REQUEST: Final = RequestFacts(b"", b"", b"", (), b"", 0, b"", 0, b"", 0.0)
_PURE: Final = frozenset(
    [
        "setvar",
        "log",
        "nolog",
        "auditlog",
        "noauditlog",
        "pass",
        "skip",
        "skipafter",
        "tag",
        "msg",
        "logdata",
        "ver",
        "rev",
        "accuracy",
        "maturity",
    ]
)
"""Actions of which all that matters is what they do to TX and to the order of rules."""


@dataclass(frozen=True, slots=True)
class Folded:
    """TX as transactions begin, the rules, and a bit for each that is left, by phase.

    A rule that is known to match has no targets any more: its actions run for every request.
    """

    tx: dict[bytes, bytes]
    phases: list[list[CompiledRule]]
    alive: list[int]


def fold(phases: Sequence[Sequence[CompiledRule]]) -> Folded:
    """Evaluate what can be evaluated without a request."""
    folding = _Folding([(1 << len(rules)) - 1 for rules in phases])
    kept = [list(rules) for rules in phases]
    for phase, rules in enumerate(kept):
        folding.run(phase, rules)
    return Folded(folding.tx, kept, folding.alive)


@dataclass(slots=True)
class _Folding:
    """What is known after the rules so far."""

    alive: list[int]
    tx: dict[bytes, bytes] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    """Names that a rule may set when a request is there."""
    prefixes: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    read_any: bool = False
    removals: list[Sequence[int]] = field(default_factory=list)
    """Rules that a `ctl` may leave out, by phase."""
    uncertain: int = 0
    """Position before which a rule of the phase may have been skipped."""

    def run(self, phase: int, rules: list[CompiledRule]) -> None:
        self.uncertain = 0
        position = 0
        while position < len(rules):
            rule = rules[position]
            position += 1
            known = self._known_matches(rule)
            if known == []:
                self._leave_out(phase, rule.position, position)
                continue
            use = tx_use(rule.source)
            if use.only_tx and not self._may_change(use.reads):
                target = self._evaluate(rule, use)
                if target is not None:
                    self._leave_out(phase, rule.position, rule.position + 1)
                    self._leave_out(phase, position, target)
                    position = max(position, target)
                    continue
            self._keep(rule, use, len(rules))
            if known == [True] and _only_acts(rule):
                rules[rule.position] = replace(
                    rule, links=(replace(rule.links[0], targets=None, operator=None),)
                )

    def _known_matches(self, rule: CompiledRule) -> list[bool] | None:
        """Return True for each value that the first rule of the chain matches, None if a request decides."""
        reads = condition_reads(rule.source)
        link = rule.links[0]
        if reads is None or link.targets is None or self._may_change(reads):
            return None
        state = _state(self.tx)
        match, apply = link.matcher(state), link.transformations.apply
        values = [apply(state, item[2]) for item in link.targets.items(state)]
        return [True for value in values if (match(value) is not None) is not link.negated]

    def _may_change(self, names: frozenset[str]) -> bool:
        if names & self.changed:
            return True
        return any(name.startswith(prefix) for prefix in self.prefixes for name in names)

    def _evaluate(self, rule: CompiledRule, use: TxUse) -> int | None:
        """Return the position to go on at if the rule is settled, None if it has to run for each request."""
        if any(action.name not in _PURE for link in links_of(rule.source) for action in link.actions):
            return None
        tx = dict(self.tx)
        matched = evaluate(rule, _state(tx))
        target = max(rule.jump, rule.position + 1) if matched else rule.position + 1
        if not matched and tx == self.tx:
            return target
        if rule.log or rule.severity is not None or not self._certain(rule, use, target):
            return None
        self.tx = tx
        return target

    def _certain(self, rule: CompiledRule, use: TxUse, target: int) -> bool:
        """Return True if the rule runs for every request, and before every rule that reads what it sets."""
        sets = use.writes | use.prefixes
        if sets and (self.read_any or sets & self.read or use.prefixes or self._may_change(use.writes)):
            return False
        if rule.position < self.uncertain and (sets or target > self.uncertain):
            return False
        region = ((1 << target) - 1) >> rule.position << rule.position & self.alive[rule.phase]
        for removed in self.removals:
            mask = removed[rule.phase]
            if mask >> rule.position & 1 and (sets or region & ~mask):
                return False
        return True

    def _leave_out(self, phase: int, first: int, end: int) -> None:
        region = ((1 << max(first, end)) - 1) >> first << first
        self.alive[phase] &= ~region

    def _keep(self, rule: CompiledRule, use: TxUse, end: int) -> None:
        self.changed |= use.writes
        self.prefixes |= use.prefixes
        self.read |= use.reads
        self.read_any = self.read_any or use.reads_any
        self.removals += [masks for link in rule.links for masks in link.removals]
        if rule.verdict.action == "allow":
            self.uncertain = end
        self.uncertain = max(self.uncertain, rule.jump)


def _only_acts(rule: CompiledRule) -> bool:
    """Return True if it makes no difference what a rule of one link has matched."""
    actions = rule.source.actions
    texts = " ".join(action.value for action in actions if action.name != "msg").lower()
    return (
        len(rule.links) == 1
        and not (rule.log or rule.links[0].capture or rule.links[0].multi_match)
        and rule.verdict.action == "pass"
        and "%{matched" not in texts
    )


def _state(tx: dict[bytes, bytes]) -> State:
    return State(_NO_REQUEST, Variables(_NO_REQUEST), NothingKept(), tx, ON, EngineLimits(), 0)
