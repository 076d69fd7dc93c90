"""Actions that a rule performs for each value it matches, compiled from their text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from adc_plugins.waf.engine.macros import Text, text_of
from adc_plugins.waf.engine.numbers import number_of
from adc_plugins.waf.engine.state import State
from adc_plugins.waf.seclang.model import Action, Place, SecLangError
from adc_plugins.waf.seclang.names import COLLECTIONS

Step = Callable[[State], None]
"""Changes the state of the transaction."""

_ASSIGNMENT: Final = re.compile(r"(!?)\s*(\w+)\.([^=\s]+)\s*(?:=\s*(.*))?", re.DOTALL)


def compile_step(action: Action, place: Place) -> Step | None:
    """Return what the action does, None if it does nothing while rules run."""
    compiler = _COMPILERS.get(action.name)
    return compiler(action.value, place) if compiler else None


def _setvar(value: str, place: Place) -> Step:
    found = _ASSIGNMENT.fullmatch(value.strip())
    if found is None:
        raise SecLangError(place, f'setvar "{value}" is not COLLECTION.NAME=VALUE')
    removed, collection, name, assigned = found.groups()
    variable, key = collection.upper(), text_of(name)
    if variable != "TX" and variable not in COLLECTIONS:
        raise SecLangError(
            place, f'setvar cannot set "{collection}"; use tx, {", ".join(sorted(COLLECTIONS)).lower()}'
        )
    if removed:
        return lambda state: _remove(state, variable, key.expand(state).lower())
    return _assignment(variable, key, "1" if assigned is None else assigned)


def _assignment(variable: str, key: Text, assigned: str) -> Step:
    sign = {"+": 1, "-": -1}.get(assigned[:1], 0)
    text = text_of(assigned[1:] if sign else assigned)
    if not sign:
        return lambda state: _assign(state, variable, key.expand(state).lower(), text.expand(state))

    def add(state: State) -> None:
        _add(state, variable, key.expand(state).lower(), sign * number_of(text.expand(state)))

    return add


def _assign(state: State, variable: str, key: bytes, value: bytes) -> None:
    if variable == "TX":
        state.set_tx(key, value)
    elif variable in state.collections:
        state.set_persistent(variable, key, value)


def _add(state: State, variable: str, key: bytes, amount: int) -> None:
    if variable == "TX":
        state.add_tx(key, amount)
    elif variable in state.collections:
        old = number_of(state.collections[variable].values.get(key, b"0"))
        state.set_persistent(variable, key, b"%d" % (old + amount))


def _remove(state: State, variable: str, key: bytes) -> None:
    if variable == "TX":
        state.tx.pop(key, None)
    elif variable in state.collections:
        state.collections[variable].remove(key)


def _initcol(value: str, place: Place) -> Step:
    name, _, key = value.partition("=")
    variable, text = name.strip().upper(), text_of(key.strip())
    if variable not in COLLECTIONS:
        raise SecLangError(
            place, f'unknown collection "{name}"; use {", ".join(sorted(COLLECTIONS)).lower()}'
        )
    return lambda state: state.open_collection(variable, text.expand(state))


def _open_as(variable: str, name: str) -> Callable[[str, Place], Step]:
    def compiled(value: str, _place: Place) -> Step:
        text = text_of(value)

        def step(state: State) -> None:
            key = text.expand(state)
            state.named[name] = key
            state.open_collection(variable, key)

        return step

    return compiled


def _expirevar(value: str, place: Place) -> Step:
    variable, key, seconds = _named_value(value, place, "expirevar")

    def step(state: State) -> None:
        if variable in state.collections:
            state.collections[variable].expire(key.expand(state).lower(), number_of(seconds.expand(state)))

    return step


def _deprecatevar(value: str, place: Place) -> Step:
    variable, key, rate = _named_value(value, place, "deprecatevar")
    amount, _, seconds = (rate.constant or b"").partition(b"/")

    def step(state: State) -> None:
        if variable in state.collections:
            state.collections[variable].deprecate(
                key.expand(state).lower(), number_of(amount), number_of(seconds)
            )

    return step


def _named_value(value: str, place: Place, action: str) -> tuple[str, Text, Text]:
    found = _ASSIGNMENT.fullmatch(value.strip())
    if found is None or found[4] is None:
        raise SecLangError(place, f'{action} "{value}" is not COLLECTION.NAME=VALUE')
    return found[2].upper(), text_of(found[3]), text_of(found[4])


def _setenv(value: str, _place: Place) -> Step:
    name, _, content = value.partition("=")
    key, text = text_of(name.lstrip("!")), text_of(content)
    if name.startswith("!"):
        return lambda state: state.set_environment(key.expand(state), None)
    return lambda state: state.set_environment(key.expand(state), text.expand(state))


def _refused(reason: str) -> Callable[[str, Place], Step]:
    def compiled(_value: str, place: Place) -> Step:
        raise SecLangError(place, reason)

    return compiled


_COMPILERS: Final[dict[str, Callable[[str, Place], Step]]] = {
    "setvar": _setvar,
    "initcol": _initcol,
    "setsid": _open_as("SESSION", "SESSIONID"),
    "setuid": _open_as("USER", "USERID"),
    "setrsc": _open_as("RESOURCE", "RESOURCEID"),
    "expirevar": _expirevar,
    "deprecatevar": _deprecatevar,
    "setenv": _setenv,
    "exec": _refused("the action exec is not supported: rules start no programs"),
    "append": _refused("the action append is not supported: rules do not change responses"),
    "prepend": _refused("the action prepend is not supported: rules do not change responses"),
    "proxy": _refused("the action proxy is not supported; use a route"),
    "pause": _refused("the action pause is not supported: it would keep a worker waiting"),
}
