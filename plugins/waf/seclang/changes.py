"""Directives that change or remove rules: SecRuleUpdate... and SecRuleRemove....

They apply to every rule of the program, wherever they are written, as in ModSecurity v3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adc_plugins.waf.seclang.actions import parse_actions
from adc_plugins.waf.seclang.drafts import Draft, check_chained, merged, with_targets
from adc_plugins.waf.seclang.lines import Line
from adc_plugins.waf.seclang.model import Place, SecLangError
from adc_plugins.waf.seclang.ranges import parse_ids
from adc_plugins.waf.seclang.targets import parse_targets

_CHAIN_OFFSET = re.compile(r"(.*\S)\s*:\s*([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Change:
    """Which rules change, and how; `apply` returns False to remove the rule."""

    place: Place
    text: str
    concerns: Callable[[Draft], bool]
    apply: Callable[[Draft], bool]


def apply_changes(drafts: Sequence[Draft], changes: Sequence[Change]) -> tuple[list[Draft], list[Change]]:
    """Return the drafts that are left, and the changes that concern none."""
    unused = []
    remaining = list(drafts)
    for change in changes:
        concerned = [draft for draft in drafts if change.concerns(draft)]
        if not concerned:
            unused.append(change)
        removed = {id(draft) for draft in concerned if not change.apply(draft)}
        remaining = [draft for draft in remaining if id(draft) not in removed]
    return remaining, unused


def parse_change(line: Line) -> Change:
    """Return what a directive of `DIRECTIVES` says."""
    return DIRECTIVES[line.name.lower()](line)


def _by_id(words: Sequence[str], place: Place) -> Callable[[Draft], bool]:
    ids = parse_ids(" ".join(words), place)
    return lambda draft: draft.id in ids


def _expression(word: str, place: Place) -> re.Pattern[str]:
    try:
        return re.compile(word)
    except re.error as error:
        raise SecLangError(place, f'"{word}" is not a regular expression: {error}') from None


def _by_tag(word: str, place: Place) -> Callable[[Draft], bool]:
    expression = _expression(word, place)
    return lambda draft: any(expression.search(tag) for tag in draft.tags)


def _by_message(word: str, place: Place) -> Callable[[Draft], bool]:
    expression = _expression(word, place)

    def concerns(draft: Draft) -> bool:
        message = draft.last("msg")
        return message is not None and expression.search(message) is not None

    return concerns


def _remove_by_id(line: Line) -> Change:
    if not line.words:
        raise SecLangError(line.place, f"{line.name} needs ids of rules, such as 1000 or 1000-1999")
    return _change(line, _by_id(line.words, line.place), lambda draft: False)


def _remove_by_tag(line: Line) -> Change:
    return _change(line, _by_tag(_words(line, 1)[0], line.place), lambda draft: False)


def _remove_by_message(line: Line) -> Change:
    return _change(line, _by_message(_words(line, 1)[0], line.place), lambda draft: False)


def _update_targets_by_id(line: Line) -> Change:
    number, *words = _words(line, 2, 3)
    ids, offset = _with_offset(number)
    return _change(line, _by_id([ids], line.place), _target_update(line, words, offset))


def _update_targets_by_tag(line: Line) -> Change:
    tag, *words = _words(line, 2, 3)
    return _change(line, _by_tag(tag, line.place), _target_update(line, words, 0))


def _update_targets_by_message(line: Line) -> Change:
    message, *words = _words(line, 2, 3)
    return _change(line, _by_message(message, line.place), _target_update(line, words, 0))


def _target_update(line: Line, words: Sequence[str], offset: int) -> Callable[[Draft], bool]:
    targets = parse_targets(words[0], line.place)
    replaced = parse_targets(words[1], line.place) if words[1:] else ()

    def apply(draft: Draft) -> bool:
        with_targets(_at(draft, offset, line.place), targets, replaced)
        return True

    return apply


def _update_actions_by_id(line: Line) -> Change:
    number, text = _words(line, 2)
    ids, offset = _with_offset(number)
    actions = parse_actions(text, line.place)
    for action in actions:
        if action.name in ("id", "phase", "chain"):
            raise SecLangError(line.place, f"{line.name} may not change the {action.name} of a rule")

    def apply(draft: Draft) -> bool:
        changed = _at(draft, offset, line.place)
        changed.actions = merged(changed.actions, actions)
        if offset:
            check_chained(changed)
        return True

    return _change(line, _by_id([ids], line.place), apply)


def _at(draft: Draft, offset: int, place: Place) -> Draft:
    if offset > len(draft.chained):
        raise SecLangError(place, f"rule {draft.id} at {draft.place} has no chained rule {offset}")
    return draft.chained[offset - 1] if offset else draft


def _with_offset(text: str) -> tuple[str, int]:
    matched = _CHAIN_OFFSET.fullmatch(text.strip())
    return (matched[1], int(matched[2])) if matched else (text, 0)


def _words(line: Line, *counts: int) -> tuple[str, ...]:
    if len(line.words) not in counts:
        allowed = " or ".join(str(count) for count in counts)
        raise SecLangError(line.place, f"{line.name} needs {allowed} arguments, found {len(line.words)}")
    return line.words


def _change(line: Line, concerns: Callable[[Draft], bool], apply: Callable[[Draft], bool]) -> Change:
    return Change(line.place, f"{line.name} {line.words[0]}", concerns, apply)


_DIRECTIVES: Final[dict[str, Callable[[Line], Change]]] = {
    "SecRuleRemoveById": _remove_by_id,
    "SecRuleRemoveByMsg": _remove_by_message,
    "SecRuleRemoveByTag": _remove_by_tag,
    "SecRuleUpdateActionById": _update_actions_by_id,
    "SecRuleUpdateTargetById": _update_targets_by_id,
    "SecRuleUpdateTargetByMsg": _update_targets_by_message,
    "SecRuleUpdateTargetByTag": _update_targets_by_tag,
}

NAMES: Final = tuple(_DIRECTIVES)
"""The directives that `parse_change` reads."""

DIRECTIVES: Final = {name.lower(): reader for name, reader in _DIRECTIVES.items()}
