"""The action `ctl`, which changes how the rest of the transaction is handled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from adc_plugins.waf.engine.items import Exclusion
from adc_plugins.waf.engine.rule_index import Position, RuleIndex, masks
from adc_plugins.waf.engine.state import DETECT, OFF, ON, State
from adc_plugins.waf.engine.steps import Step
from adc_plugins.waf.engine.targets import exclusion_of
from adc_plugins.waf.seclang.model import Place, SecLangError
from adc_plugins.waf.seclang.targets import parse_targets

_ENGINES: Final = {"on": ON, "off": OFF, "detectiononly": DETECT}

_KINDS: Final = ("id", "tag", "msg")

Finder = Callable[[str, Place], list[Position]]


def compile_control(value: str, place: Place, index: RuleIndex) -> Step:
    """Return what `ctl:value` does."""
    name, _, argument = value.partition("=")
    name, argument = name.strip().lower(), argument.strip()
    if name == "ruleengine":
        return _rule_engine(argument, place)
    kind = name.removeprefix("ruleremovetargetby")
    if kind != name:
        return _remove_target(argument, place, _finder(index, kind))
    removed = removed_rules(value, place, index)
    if removed is not None:
        return lambda state: state.remove_rules(removed)
    if name == "requestbodyprocessor":
        return lambda state: _choose_processor(state, argument.upper())
    if name == "forcerequestbodyvariable":
        return _force_request_body if argument.lower() == "on" else _nothing
    return _setting(name, argument)


def removed_rules(value: str, place: Place, index: RuleIndex) -> list[int] | None:
    """Return the rules that `ctl:value` leaves out, as bits by phase; None if it does something else."""
    name, _, argument = value.partition("=")
    kind = name.strip().lower().removeprefix("ruleremoveby")
    return masks(_finder(index, kind)(argument.strip(), place)) if kind in _KINDS else None


def _finder(index: RuleIndex, kind: str) -> Finder:
    return {"id": index.by_id, "tag": index.by_tag, "msg": index.by_message}[kind]


def _setting(name: str, argument: str) -> Step:
    def step(state: State) -> None:
        state.controls[name] = argument.lower() if name != "auditlogparts" else argument

    return step


def _rule_engine(argument: str, place: Place) -> Step:
    engine = _ENGINES.get(argument.lower())
    if engine is None:
        raise SecLangError(place, f'unknown ruleEngine "{argument}"; use On, Off or DetectionOnly')

    def step(state: State) -> None:
        state.engine = engine

    return step


def _remove_target(argument: str, place: Place, find: Finder) -> Step:
    rules, _, text = argument.partition(";")
    if not text:
        raise SecLangError(place, f'"{argument}" is not RULES;VARIABLE')
    positions = find(rules, place)
    exclusions = [exclusion_of(target, place) for target in parse_targets(text, place)]
    return lambda state: _exclude(state, positions, exclusions)


def _exclude(state: State, positions: Sequence[Position], exclusions: Sequence[Exclusion]) -> None:
    for position in positions:
        state.exclusions[position] = [*state.exclusions.get(position, ()), *exclusions]


def _choose_processor(state: State, name: str) -> None:
    state.variables.choose_processor(name)
    state.forget_items()


def _force_request_body(state: State) -> None:
    state.variables.force_request_body()
    state.forget_items()


def _nothing(_state: State) -> None:
    """Do nothing."""
