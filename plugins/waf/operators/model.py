"""What the engine knows of an operator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from ..expression import Expression

Match = tuple[bytes, ...]
"""What matched, then what its groups captured; a group without a part in the match is empty. At most ten items."""

MOST_GROUPS = 9
_MOST_ARGUMENTS = 64


class LimitReached(Exception):
    """An expression was given up before it was known whether it matches."""


class Operator(ABC):
    """Matches a value; negation is the engine's.

    `prefilter`: at least one of these expressions matches every value that the operator matches; None if it has to run
    on all. An operator whose argument `has_macros` is run as `for_argument` of the expanded argument.
    """

    prefilter: tuple[Expression, ...] | None = None
    has_macros = False

    @abstractmethod
    def match(self, value: bytes) -> Match | None:
        """Return what matched, None if nothing does; raise `LimitReached` where that cannot be known."""

    def check(self) -> None:  # noqa: B027
        """Raise ValueError for an argument that is looked at only when the operator first matches."""

    def for_argument(self, argument: bytes) -> Operator:
        """Return the operator of an expanded argument: itself, as its argument has no macros."""
        return self


class MacroOperator(Operator):
    """An operator whose argument is known per request; those of the last arguments are kept."""

    has_macros = True

    def __init__(self, build: Callable[[bytes], Operator]) -> None:
        self._build = build
        self._operators: dict[bytes, Operator] = {}

    def match(self, value: bytes) -> Match | None:
        """Refuse: only `for_argument` gives an operator that can match."""
        raise TypeError("an operator with macros matches only after for_argument")

    def for_argument(self, argument: bytes) -> Operator:
        """Return the operator of an expanded argument."""
        operator = self._operators.get(argument)
        if operator is None:
            operator = self._build(argument)
            if len(self._operators) >= _MOST_ARGUMENTS:
                del self._operators[next(iter(self._operators))]
            self._operators[argument] = operator
        return operator
