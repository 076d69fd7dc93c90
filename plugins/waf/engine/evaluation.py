"""Evaluation of one rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from adc_plugins.waf.engine.items import Item
from adc_plugins.waf.engine.results import Intervention, RuleMatch
from adc_plugins.waf.engine.rule import CompiledRule, Link, Match
from adc_plugins.waf.engine.state import DETECT, ON, VOLATILE, State
from adc_plugins.waf.engine.targets import TargetList
from adc_plugins.waf.operators import LimitReached

_UNKNOWN: Final = (-1, None)
"""The bits of a value that was not searched."""
_CAPTURES: Final = tuple(b"%d" % number for number in range(10))


def evaluate(rule: CompiledRule, state: State) -> bool:
    """Return True if the rule matches; its actions are performed. Of a chain all rules must match."""
    if state.matched:
        state.matched = []
    if state.changes:
        state.changes = {}
    state.rule = rule.values
    links = rule.links
    if len(links) == 1:
        return _evaluate_link(rule, links[0], state, True)
    for link in links:
        if not _evaluate_link(rule, link, state, False):
            return False
    _complete(rule, state)
    return True


def _evaluate_link(rule: CompiledRule, link: Link, state: State, alone: bool) -> bool:
    if link.targets is None:
        return _evaluate_without_targets(rule, link, state, alone)
    items = link.targets.items(state) if link.bit < 0 else _that_can_match(link.targets, link.bit, state)
    if state.exclusions:
        items = _without_excluded(rule, items, state)
    if not items:
        return False
    match, negated, chain, matched = link.matcher(state), link.negated, link.transformations, False
    for item in items:
        if link.multi_match:
            values: Iterable[bytes] = chain.stages(item[2])
        else:
            values = (chain.apply(state, item[2]),) if chain.names else (item[2],)
        for value in values:
            try:
                found = match(value)
            except LimitReached:
                state.give_up()
                continue
            if (found is None) is not negated:
                continue
            matched = True
            state.matched.append((item[0], item[1], value))
            _perform(link, state, found)
            if alone:
                _complete(rule, state)
                if state.intervention is not None:
                    return True
    return matched


def _evaluate_without_targets(rule: CompiledRule, link: Link, state: State, alone: bool) -> bool:
    if link.inspect is not None:
        found = link.inspect(state)
        if found is None or any(each.covers(found[0], found[1]) for each in link.exclusions):
            return False
        if state.exclusions and not _without_excluded(rule, (found,), state):
            return False
        state.matched.append(found)
    _perform(link, state, None)
    if alone:
        _complete(rule, state)
    return True


def _that_can_match(targets: TargetList, bit: int, state: State) -> Sequence[Item]:
    """Return the items whose values have the bit of a link, or were not searched."""
    marked = state.marked.get(targets)
    if marked is None:
        bits = state.value_bits
        every = [(item, bits.get(item[2], _UNKNOWN)[0]) for item in targets.items(state)]
        marked = state.marked[targets] = [pair for pair in every if pair[1]]
    return [item for item, bits in marked if bits >> bit & 1]


def _without_excluded(rule: CompiledRule, items: Sequence[Item], state: State) -> Sequence[Item]:
    exclusions = state.exclusions.get((rule.phase, rule.position))
    if not exclusions:
        return items
    return [item for item in items if not any(each.covers(item[0], item[1]) for each in exclusions)]


def _perform(link: Link, state: State, found: Match | None) -> None:
    """Capture and run the actions that each match of the link performs."""
    if link.capture and found is not None:
        _capture(found, state)
    for step in link.steps:
        step(state)


def _capture(found: Match, state: State) -> None:
    """Set TX.0 to TX.9 to what was captured, and remove those of an earlier capture beyond it."""
    before = state.captured
    for name, value in zip(_CAPTURES, found, strict=False):
        state.set_tx(name, value)
    for name in _CAPTURES[len(found) : before]:
        state.tx.pop(name, None)
    state.captured = len(found)


def _complete(rule: CompiledRule, state: State) -> None:
    """Record a match of the whole rule and perform its disruptive action."""
    if rule.severity is not None and rule.severity < state.highest_severity:
        state.highest_severity = rule.severity
    action = rule.verdict.action
    if action == "allow":
        if state.engine == ON:
            state.allowed = rule.verdict.scope
    elif action != "pass":
        _disrupt(rule, state)
        return
    if rule.log:
        _record(_match_of(rule, state), state)


def _disrupt(rule: CompiledRule, state: State) -> None:
    match = _match_of(rule, state)
    if rule.log:
        _record(match, state)
    verdict = rule.verdict
    intervention = Intervention(verdict.status, verdict.action, verdict.location.expand(state), match)
    if rule.phase == 5:
        return
    if state.engine == ON:
        state.intervention = intervention
    elif state.engine == DETECT and state.detected is None:
        state.detected = intervention


def _record(match: RuleMatch, state: State) -> None:
    if len(state.matches) < state.limits.matches:
        state.matches.append(match)
    else:
        state.reached.add("matches")


def _match_of(rule: CompiledRule, state: State) -> RuleMatch:
    variable, key, value = _looked_at(state)
    limit = state.limits.text_bytes
    match = RuleMatch(
        rule.id,
        rule.place,
        rule.phase,
        rule.message.expand(state)[:limit],
        rule.data.expand(state)[:limit],
        rule.severity,
        rule.tags,
        variable,
        key,
        value[:limit],
        tuple((name.decode("utf-8", "backslashreplace"), change) for name, change in state.changes.items()),
        rule.audit,
    )
    state.changes = {}
    return match


def _looked_at(state: State) -> Item:
    """Return the last matched item that is of the request or the response, else the last one."""
    for item in reversed(state.matched):
        if item[0] not in VOLATILE:
            return item
    return state.matched[-1] if state.matched else ("", b"", b"")
