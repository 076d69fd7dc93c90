"""Regular expressions: RE2 in linear time, PCRE2 for what RE2 lacks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Final, Protocol

import pcre2
import re2

from ..expression import Expression
from .dialect import translate, without_braces
from .model import MOST_GROUPS, LimitReached, Match, Operator
from .prefilters import prefilter_of

_MOST_STEPS = 5_000
"""Steps of PCRE2 from one start; an expression that needs more is given up."""
_LONGEST_VALUE = 32_768
"""Bytes that PCRE2 looks at; its time may grow with their square."""
_MOST_PARTS = 10_000

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.dot_nl = True
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 32 * 1024 * 1024
"""With less, a hostile value makes the larger expressions of the CRS rebuild their automaton again and again."""
_ANYWHERE = re2._Anchor.UNANCHORED
Spans = tuple[tuple[int, int], ...]


class _Engine(Protocol):
    def spans(self, value: bytes, start: int = 0) -> Spans | None:
        """Return where the expression and its groups match first from `start` on; -1 for a group left out."""


class _Re2:
    """An expression in RE2: linear time, whatever the value."""

    __slots__ = ("_search",)

    def __init__(self, pattern: bytes) -> None:
        compiled = re2._re2.RE2(pattern, _OPTIONS)
        if not compiled.ok():
            raise ValueError(compiled.error())
        self._search = compiled.Match

    def spans(self, value: bytes, start: int = 0) -> Spans | None:
        spans: Spans = self._search(_ANYWHERE, value, start, len(value))
        return spans if spans and spans[0][0] >= 0 else None


class _Pcre2:
    """An expression in PCRE2, with limits of steps and bytes."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: bytes) -> None:
        limited = b"(*LIMIT_MATCH=%d)" % _MOST_STEPS + pattern
        self._pattern = pcre2.compile(limited, pcre2.DOTALL)

    def spans(self, value: bytes, start: int = 0) -> Spans | None:
        try:
            found = self._pattern.search(value[:_LONGEST_VALUE], start)
        except pcre2.LibraryError as error:
            raise LimitReached(str(error)) from error
        if found is not None:
            return tuple(found.span(group) for group in range(self._pattern.groups + 1))
        if len(value) > _LONGEST_VALUE:
            raise LimitReached(f"more than {_LONGEST_VALUE} bytes for an expression that RE2 lacks")
        return None


def _compile(pattern: bytes) -> _Engine:
    try:
        return _Re2(translate(pattern))
    except ValueError:
        pass
    try:
        return _Pcre2(without_braces(pattern))
    except pcre2.PatternError as error:
        raise ValueError(f"{error} of the expression {pattern.decode(errors='replace')}") from error


class Searcher:
    """An expression, compiled when it is first searched for.

    A dot matches a newline; `^` and `$` match only at the ends of the value unless the expression says `(?m)`.
    """

    def __init__(self, pattern: bytes) -> None:
        self.pattern = pattern

    @cached_property
    def engine(self) -> _Engine:
        """The compiled expression."""
        return _compile(self.pattern)

    def check(self) -> None:
        """Raise ValueError if this is no expression."""
        _ = self.engine

    def search(self, value: bytes, start: int = 0) -> Spans | None:
        """Return where the expression and its groups match first from `start` on."""
        return self.engine.spans(value, start)

    def parts(self, value: bytes) -> Iterator[bytes]:
        """Yield the part that matches first from each place on."""
        start = 0
        for _ in range(_MOST_PARTS):
            spans = self.search(value, start)
            if spans is None:
                return
            first, end = spans[0]
            yield value[first:end]
            start = first + 1
            if start > len(value):
                return
        raise LimitReached(f"more than {_MOST_PARTS} parts match")

    @cached_property
    def prefilter(self) -> tuple[Expression, ...] | None:
        """Expressions one of which matches wherever this one does."""
        return prefilter_of(self.pattern)


class Rx(Operator):
    """The expression matches somewhere in the value."""

    def __init__(self, argument: bytes) -> None:
        self._searcher = Searcher(argument)

    @property
    def prefilter(self) -> tuple[Expression, ...] | None:  # type: ignore[override]
        """Expressions one of which matches wherever this one does."""
        return self._searcher.prefilter

    def check(self) -> None:
        """Raise ValueError if the argument is no expression."""
        self._searcher.check()

    def match(self, value: bytes) -> Match | None:
        """Return what matched and what its groups captured."""
        spans = self._searcher.engine.spans(value)
        if spans is None:
            return None
        if len(spans) == 1:
            first, end = spans[0]
            return (value[first:end],)
        return tuple(value[max(first, 0) : max(end, 0)] for first, end in spans[: MOST_GROUPS + 1])


class AnyValue(Operator):
    """The whole value, whatever it is."""

    def match(self, value: bytes) -> Match | None:
        """Return the value."""
        return (value,)


_OF_ANY_VALUE: Final = frozenset({b"^.*$", b"^.*", b".*", b".*$"})


def rx(argument: bytes) -> Operator:
    """Return the operator of an expression."""
    return AnyValue() if argument in _OF_ANY_VALUE else Rx(argument)
