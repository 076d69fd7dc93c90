"""Operators that look at nothing."""

from __future__ import annotations

from collections.abc import Callable

from .model import Match, Operator


class UnconditionalMatch(Operator):
    """Matches every value."""

    def match(self, value: bytes) -> Match | None:
        """Return the value."""
        return (value,)


class NoMatch(Operator):
    """Matches no value."""

    prefilter = ()

    def match(self, value: bytes) -> Match | None:
        """Return None."""
        return None


CONSTANTS: dict[str, Callable[[bytes], Operator]] = {
    "unconditionalmatch": lambda argument: UnconditionalMatch(),
    "nomatch": lambda argument: NoMatch(),
}
