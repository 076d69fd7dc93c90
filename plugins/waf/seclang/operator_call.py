"""A rule's operator: `@rx pattern`, `!@eq 0`, or an expression alone."""

from __future__ import annotations

from typing import Final

from adc_plugins.waf.seclang.model import OperatorCall, Place, SecLangError
from adc_plugins.waf.seclang.names import OPERATORS, WITHOUT_ARGUMENT
from adc_plugins.waf.seclang.suggest import unknown

_OF_TEXT: Final = frozenset(
    ("beginswith", "contains", "containsword", "endswith", "rx", "rxglobal", "streq", "strmatch", "within")
)
"""Operators whose argument begins behind one blank; further blanks belong to it."""


def parse_operator(text: str, place: Place) -> OperatorCall:
    """Return the operator that `text` calls; a text without `@` is an argument of `rx`."""
    content = text.lstrip()
    negated = content.startswith("!")
    content = content[1:].lstrip() if negated else content
    if not content.startswith("@"):
        if not content:
            raise SecLangError(place, "the operator is empty; write @rx PATTERN, or @unconditionalMatch")
        return OperatorCall("rx", content, negated)
    name = content[1:].split(None, 1)[0] if content[1:].strip() and not content[1].isspace() else ""
    known = name.lower()
    if known not in OPERATORS:
        raise SecLangError(place, unknown("operator", f"@{name}", (f"@{item}" for item in OPERATORS)))
    argument = content[len(name) + 2 :]
    if known not in _OF_TEXT:
        argument = argument.lstrip()
    if not argument and known not in WITHOUT_ARGUMENT:
        raise SecLangError(place, f"the operator @{name} needs an argument")
    return OperatorCall(known, argument, negated)
