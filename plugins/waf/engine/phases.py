"""Evaluation of the rules of a phase one by one."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from adc_plugins.waf.engine.evaluation import evaluate
from adc_plugins.waf.engine.rule import CompiledRule
from adc_plugins.waf.engine.state import OFF, State


class PlainPhases:
    """Evaluates every rule in the order of the files. The plan must come to the same results."""

    def __init__(self, phases: Sequence[Sequence[CompiledRule]]) -> None:
        self._phases = phases

    def run(self, phase: int, state: State) -> None:
        """Evaluate the rules of `phase` until one ends it."""
        rules = self._phases[phase]
        deadline = state.started + state.limits.seconds
        position = 0
        while position < len(rules):
            rule = rules[position]
            position += 1
            if state.removed[phase] >> rule.position & 1 or not evaluate(rule, state):
                continue
            if ends_phase(state, deadline):
                return
            position = max(position, rule.jump)


def ends_phase(state: State, deadline: float) -> bool:
    """Return True if no other rule of the phase is evaluated."""
    if monotonic() > deadline:
        state.reached.add("seconds")
        return True
    return state.intervention is not None or bool(state.allowed) or state.engine == OFF
