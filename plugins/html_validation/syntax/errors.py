"""The parse errors of a document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParseError:
    """An error with its place: line and column begin with 1, a column is a character."""

    line: int
    column: int
    code: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column} {self.code}"


class ErrorList:
    """Counts errors that are not `ignored`, and keeps the first `most` in the order in which they were found. Those at
    `end` or behind it do not count."""

    __slots__ = ("_ignored", "_kept", "_most", "count", "end")

    def __init__(self, most: int, ignored: frozenset[str] = frozenset(), end: int = 1 << 62) -> None:
        self.count = 0
        self.end = end
        self._ignored = ignored
        self._most = most
        self._kept: list[tuple[int, str]] = []

    def add(self, offset: int, code: str) -> None:
        """Count an error at `offset` of the text."""
        if offset >= self.end or code in self._ignored:
            return
        self.count += 1
        if len(self._kept) < self._most:
            self._kept.append((offset, code))

    @property
    def kept(self) -> list[tuple[int, str]]:
        """The kept errors as offset and code."""
        return self._kept


def located(text: str, found: list[tuple[int, str]]) -> list[ParseError]:
    """Return the errors of `found` in the order of their places in `text`."""
    errors = []
    line, begin, seen = 1, 0, 0
    for offset, code in sorted(found, key=lambda pair: pair[0]):
        breaks = text.count("\n", seen, offset)
        if breaks:
            line += breaks
            begin = text.rindex("\n", seen, offset) + 1
        seen = offset
        errors.append(ParseError(line, offset - begin + 1, code))
    return errors
