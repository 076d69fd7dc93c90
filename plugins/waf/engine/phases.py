"""Evaluation of the rules of a phase one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import thread_time
from typing import Final

from adc_plugins.waf.engine.evaluation import evaluate
from adc_plugins.waf.engine.rule import CompiledRule
from adc_plugins.waf.engine.state import OFF, State

_WATCHED_EVERY: Final = 8
"""Matches between two looks at the clock, each of which is a system call."""


class PlainPhases:
    """Evaluates every rule in the order of the files. The plan must come to the same results."""

    def __init__(self, phases: Sequence[Sequence[CompiledRule]]) -> None:
        self._phases = phases

    def run(self, phase: int, state: State) -> None:
        """Evaluate the rules of `phase` until one ends it."""
        run_timed(self._evaluate, phase, state)

    def _evaluate(self, phase: int, state: State, deadline: float) -> None:
        rules = self._phases[phase]
        position = 0
        while position < len(rules):
            rule = rules[position]
            position += 1
            if state.removed[phase] >> rule.position & 1 or not evaluate(rule, state):
                continue
            if ends_phase(state, deadline):
                return
            position = max(position, rule.jump)


def run_timed(evaluate_phase: Callable[[int, State, float], None], phase: int, state: State) -> None:
    """Evaluate a phase until its deadline, in processor time of the thread, and count the time spent."""
    if "seconds" in state.reached:
        return
    began = thread_time()
    evaluate_phase(phase, state, began + state.limits.seconds - state.spent)
    state.spent += thread_time() - began


def ends_phase(state: State, deadline: float) -> bool:
    """Return True if no other rule of the phase is evaluated; `deadline` is of the processor time of the thread."""
    state.matches_to_look -= 1
    if state.matches_to_look == 0:
        state.matches_to_look = _WATCHED_EVERY
        if is_late(state, deadline):
            return True
    return state.intervention is not None or bool(state.allowed) or state.engine == OFF


def is_late(state: State, deadline: float) -> bool:
    """Return True, and note it, if the processor time of the thread is beyond `deadline`."""
    late = thread_time() > deadline
    if late:
        state.reached.add("seconds")
    return late
