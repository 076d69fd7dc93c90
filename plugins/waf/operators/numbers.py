"""Comparisons of whole numbers."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from .model import Match, Operator

_NUMBER = re.compile(rb"[ \t\n\v\f\r]*([+-]?[0-9]{1,20})")


def number(text: bytes) -> int:
    """Return the number at the start of a text, 0 without one; beyond 20 digits only its size counts."""
    found = _NUMBER.match(text)
    return 0 if found is None else int(found[1])


class Comparison(Operator):
    """Compares the number at the start of a value with the argument."""

    def __init__(self, argument: bytes, holds: Callable[[int, int], bool]) -> None:
        self._argument = number(argument)
        self._holds = holds

    def match(self, value: bytes) -> Match | None:
        """Return the value if its number compares so with the argument."""
        return (value,) if self._holds(number(value), self._argument) else None


def _comparison(holds: Callable[[int, int], bool]) -> Callable[[bytes], Operator]:
    return lambda argument: Comparison(argument, holds)


NUMBERS: dict[str, Callable[[bytes], Operator]] = {
    "eq": _comparison(operator.eq),
    "ge": _comparison(operator.ge),
    "gt": _comparison(operator.gt),
    "le": _comparison(operator.le),
    "lt": _comparison(operator.lt),
}
