"""Comparisons of texts, byte by byte; letter case counts."""

from __future__ import annotations

from collections.abc import Callable

from ..expression import Expression
from .dialect import quote
from .model import Match, Operator


class _Text(Operator):
    """An operator whose argument is a text; every value that it matches holds the text, unless it is empty."""

    def __init__(self, argument: bytes) -> None:
        self._argument = argument
        self._match: Match = (argument,)
        self.prefilter = (Expression(quote(argument)),) if argument and b"\n" not in argument else None


class StreqOperator(_Text):
    """The value is the argument."""

    def match(self, value: bytes) -> Match | None:
        """Return the argument if it is the value."""
        return self._match if value == self._argument else None


class BeginsWith(_Text):
    """The value begins with the argument."""

    def match(self, value: bytes) -> Match | None:
        """Return the argument if the value begins with it."""
        return self._match if value.startswith(self._argument) else None


class EndsWith(_Text):
    """The value ends with the argument."""

    def match(self, value: bytes) -> Match | None:
        """Return the argument if the value ends with it."""
        return self._match if value.endswith(self._argument) else None


class Contains(_Text):
    """The argument is somewhere in the value."""

    def match(self, value: bytes) -> Match | None:
        """Return the argument if it is in the value."""
        return self._match if self._argument in value else None


_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class ContainsWord(_Text):
    """The argument is somewhere in the value, without a letter before or behind it."""

    def match(self, value: bytes) -> Match | None:
        """Return the argument if it is in the value as a word."""
        word = self._argument
        start = value.find(word)
        while start >= 0:
            end = start + len(word)
            alone = start == 0 or value[start - 1] not in _LETTERS
            if alone and (end == len(value) or value[end] not in _LETTERS):
                return self._match
            start = value.find(word, start + 1)
        return None


class Within(Operator):
    """The value is somewhere in the argument."""

    def __init__(self, argument: bytes) -> None:
        self._argument = argument

    def match(self, value: bytes) -> Match | None:
        """Return the value if the argument contains it."""
        return (value,) if value in self._argument else None


STRINGS: dict[str, Callable[[bytes], Operator]] = {
    "streq": StreqOperator,
    "beginswith": BeginsWith,
    "endswith": EndsWith,
    "contains": Contains,
    "strmatch": Contains,
    "containsword": ContainsWord,
    "within": Within,
}
