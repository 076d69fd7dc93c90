"""A rule's list of actions: `id:1,phase:2,deny,msg:'a, b',setvar:tx.score=+5`."""

from __future__ import annotations

import re
from collections.abc import Callable

from adc_plugins.waf.seclang.lines import quoted_end
from adc_plugins.waf.seclang.model import Action, Place, SecLangError
from adc_plugins.waf.seclang.names import (
    ACTIONS,
    COLLECTIONS,
    CONTROLS,
    NEEDS_VALUE,
    PHASES,
    SEVERITIES,
    TAKES_NO_VALUE,
    TRANSFORMATIONS,
)
from adc_plugins.waf.seclang.ranges import parse_ids
from adc_plugins.waf.seclang.suggest import unknown
from adc_plugins.waf.seclang.targets import parse_targets

_DELIMITER = re.compile("[,']")
_SETVAR = re.compile(r"!?\s*(\w+)\.[^=\s]+(?:\s*=.*)?", re.DOTALL)
_EXPIREVAR = re.compile(r"(\w+)\.[^=\s]+\s*=.+", re.DOTALL)
_INITCOL = re.compile(r"(\w+)\s*=.+", re.DOTALL)


def parse_actions(text: str, place: Place) -> tuple[Action, ...]:
    """Return the actions of `text`, each checked on its own."""
    actions = tuple(_action(item, place) for item in _items(text, place))
    for action in actions:
        _check(action, place)
    return actions


def _items(text: str, place: Place) -> list[str]:
    """Split at commas outside quotes; only a value as a whole is quoted."""
    items = []
    start = position = 0
    while found := _DELIMITER.search(text, position):
        position = found.end()
        if found[0] == ",":
            items.append(text[start : position - 1].strip())
            start = position
        elif text[start : position - 1].rstrip().endswith(":"):
            position = quoted_end(text, position - 1) + 1
            if not position:
                raise SecLangError(place, f"the quote ' before {text[found.end() :][:20]!r} is not closed")
    items.append(text[start:].strip())
    if not all(items):
        raise SecLangError(place, f"an action is missing beside a comma in {text[:60]!r}")
    return items


def _action(item: str, place: Place) -> Action:
    name, colon, value = (part.strip() for part in item.partition(":"))
    known = name.lower()
    if known not in ACTIONS:
        raise SecLangError(place, unknown("action", name, ACTIONS))
    if value.startswith("'"):
        if quoted_end(value, 0) != len(value) - 1:
            raise SecLangError(
                place, f'text follows the quoted value in "{item}"; separate actions by commas'
            )
        value = value[1:-1].replace("\\'", "'")
    if known in NEEDS_VALUE and not value.strip():
        raise SecLangError(place, f'the action "{known}" needs a value: {known}:VALUE')
    if known in TAKES_NO_VALUE and colon:
        raise SecLangError(place, f'the action "{known}" takes no value, found "{value}"')
    return Action(known.replace("sanitize", "sanitise"), value)


def severity_number(value: str) -> int | None:
    """Return 0 (EMERGENCY) to 7 (DEBUG) for a name or a number, None for anything else."""
    upper = value.upper()
    if upper in SEVERITIES:
        return SEVERITIES.index(upper)
    return int(value) if re.fullmatch("[0-7]", value) else None


def _check(action: Action, place: Place) -> None:
    check = _CHECKS.get(action.name)
    if check:
        check(action.value, place)


def _check_id(value: str, place: Place) -> None:
    if not re.fullmatch("[1-9][0-9]{0,17}", value):
        raise SecLangError(place, f'the id "{value}" is not a positive number')


def _check_phase(value: str, place: Place) -> None:
    if value.lower() not in PHASES:
        raise SecLangError(
            place, f'unknown phase "{value}"; use 1 to 5, request (2), response (4) or logging (5)'
        )


def _check_transformation(value: str, place: Place) -> None:
    if value.lower() not in TRANSFORMATIONS:
        raise SecLangError(place, unknown("transformation", value, TRANSFORMATIONS))


def _check_severity(value: str, place: Place) -> None:
    if severity_number(value) is None:
        raise SecLangError(place, f'unknown severity "{value}"; use 0 to 7 or {", ".join(SEVERITIES)}')


def _check_status(value: str, place: Place) -> None:
    if not re.fullmatch("[0-9]{1,9}", value):
        raise SecLangError(place, f'the status "{value}" is not a number')


def _check_allow(value: str, place: Place) -> None:
    if value.lower() not in ("", "phase", "request"):
        raise SecLangError(
            place, f'unknown scope "{value}" of allow; use allow, allow:phase or allow:request'
        )


def _check_skip(value: str, place: Place) -> None:
    if not value.isdecimal():
        raise SecLangError(place, f'skip needs the number of rules to skip, found "{value}"')


def _check_level(value: str, place: Place) -> None:
    if not re.fullmatch("[0-9]", value):
        raise SecLangError(place, f'maturity and accuracy are numbers from 0 to 9, found "{value}"')


def _check_setvar(value: str, place: Place) -> None:
    matched = _SETVAR.fullmatch(value.strip())
    if not matched:
        raise SecLangError(
            place, f'setvar needs COLLECTION.NAME, COLLECTION.NAME=VALUE or !COLLECTION.NAME: "{value}"'
        )
    _check_writable(matched[1], place)


def _check_expirevar(value: str, place: Place) -> None:
    matched = _EXPIREVAR.fullmatch(value.strip())
    if not matched:
        raise SecLangError(place, f'expirevar needs COLLECTION.NAME=SECONDS, found "{value}"')
    _check_writable(matched[1], place)


def _check_writable(collection: str, place: Place) -> None:
    writable = {*COLLECTIONS, "TX", "ENV"}
    if collection.upper() not in writable:
        raise SecLangError(place, unknown("collection of variables", collection, writable))


def _check_initcol(value: str, place: Place) -> None:
    matched = _INITCOL.fullmatch(value.strip())
    if not matched:
        raise SecLangError(place, f'initcol needs COLLECTION=KEY, found "{value}"')
    if matched[1].upper() not in COLLECTIONS:
        raise SecLangError(place, unknown("persistent collection", matched[1], COLLECTIONS))


def _refuse_exec(value: str, place: Place) -> None:
    raise SecLangError(place, f'the action exec would start "{value}"; a rule may not start programs')


def _check_control(value: str, place: Place) -> None:
    name, equals, argument = value.partition("=")
    option = name.strip().lower()
    if option not in CONTROLS:
        raise SecLangError(place, unknown("ctl option", name.strip(), CONTROLS))
    if not equals or not argument.strip():
        raise SecLangError(place, f'the ctl option "{name.strip()}" needs a value: ctl:{name.strip()}=VALUE')
    if option == "ruleengine" and argument.strip().lower() not in ("on", "off", "detectiononly"):
        raise SecLangError(place, f'ctl:ruleEngine is On, Off or DetectionOnly, found "{argument}"')
    if option.startswith("ruleremove"):
        _check_removal(option, argument, place)


def _check_removal(option: str, argument: str, place: Place) -> None:
    what, semicolon, target = argument.partition(";")
    if option.endswith("byid"):
        parse_ids(what, place)
    if "target" in option:
        if not semicolon:
            raise SecLangError(place, f'a target is missing in "{argument}": write RULES;VARIABLE')
        parse_targets(target, place)


_CHECKS: dict[str, Callable[[str, Place], None]] = {
    "accuracy": _check_level,
    "allow": _check_allow,
    "ctl": _check_control,
    "exec": _refuse_exec,
    "expirevar": _check_expirevar,
    "id": _check_id,
    "initcol": _check_initcol,
    "maturity": _check_level,
    "phase": _check_phase,
    "setvar": _check_setvar,
    "severity": _check_severity,
    "skip": _check_skip,
    "status": _check_status,
    "t": _check_transformation,
}
