"""The rules that a request can match, found by one search, evaluated in the order of the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from adc_plugins.waf.engine.conditions import Condition, Prefilter, Source, conditions
from adc_plugins.waf.engine.evaluation import evaluate
from adc_plugins.waf.engine.phases import ends_phase, is_late, run_timed
from adc_plugins.waf.engine.rule import CompiledRule
from adc_plugins.waf.engine.scanner import Scanner
from adc_plugins.waf.engine.state import State

_HEADERS: Final = "REQUEST_HEADERS"


class Plan:
    """Evaluates the rules of a phase that may match; the result is that of evaluating all of them.

    Each rule has two bits, one for each condition that it may have. A bit without a condition is set for every
    request. A rule is a candidate if both are set.
    """

    def __init__(
        self,
        phases: Sequence[Sequence[CompiledRule]],
        alive: Sequence[int],
        prefilter: Prefilter,
        cache: Path | None,
    ) -> None:
        self._rules = phases
        self._offsets = [sum(len(rules) for rules in phases[:phase]) for phase in range(len(phases))]
        self._total = sum(len(rules) for rules in phases)
        self._alive = alive
        found = [
            (rule, [] if not alive[rule.phase] >> rule.position & 1 else conditions(rule, prefilter))
            for rules in phases
            for rule in rules
        ]
        self._absent = _absences(found)
        scanned = [
            (self._offsets[rule.phase] + rule.position + self._total * plane, condition)
            for rule, of_rule in found
            for plane, condition in enumerate(each for each in of_rule if not each.absent)
        ]
        for bit, condition in scanned:
            if condition.expressions:
                condition.link.bit = bit
        self._always = (1 << 2 * self._total) - 1
        for bit, _ in scanned:
            self._always ^= 1 << bit
        self._scanner = Scanner(scanned, cache)
        self._readings = [self._scanner.readings(_sources(phase, found)) for phase in range(len(phases))]

    def run(self, phase: int, state: State) -> None:
        """Evaluate the candidates of `phase` until one ends it."""
        run_timed(self._evaluate, phase, state)

    def _evaluate(self, phase: int, state: State, deadline: float) -> None:
        candidates = self._candidates(phase, state)
        rules = self._rules[phase]
        while candidates:
            lowest = candidates & -candidates
            candidates ^= lowest
            rule = rules[lowest.bit_length() - 1]
            matched = not state.removed[phase] & lowest and evaluate(rule, state)
            if state.heavy and is_late(state, deadline):
                return
            if not matched:
                continue
            if ends_phase(state, deadline):
                return
            if state.variables_changed:
                candidates = self._candidates(phase, state) >> rule.position + 1 << rule.position + 1
            if rule.jump > rule.position:
                candidates = candidates >> rule.jump << rule.jump

    def _candidates(self, phase: int, state: State) -> int:
        state.variables_changed = False
        bits = self._scanner.scan(state, self._readings[phase]) | self._always
        both = (bits & bits >> self._total) >> self._offsets[phase]
        candidates = both & self._alive[phase]
        for key, mask in self._absent[phase]:
            if candidates & mask and state.variables.select(_HEADERS, key):
                candidates &= ~mask
        return candidates


Found = Sequence[tuple[CompiledRule, list[Condition]]]


def _absences(found: Found) -> list[list[tuple[bytes, int]]]:
    """Return for each phase the headers without which rules can match, with these rules."""
    result: list[dict[bytes, int]] = [{} for _ in range(6)]
    for rule, of_rule in found:
        for condition in of_rule:
            if condition.absent:
                masks, key = result[rule.phase], condition.sources[0].key.encode()
                masks[key] = masks.get(key, 0) | 1 << rule.position
    return [list(masks.items()) for masks in result]


def _sources(phase: int, found: Found) -> list[Source]:
    """Return what the conditions of a phase read, all headers as one source."""
    sources: dict[Source, None] = {}
    for rule, of_rule in found:
        for condition in of_rule:
            if rule.phase == phase and not condition.absent:
                for source in condition.sources:
                    sources[Source(_HEADERS) if source.variable == _HEADERS else source] = None
    return list(sources)
