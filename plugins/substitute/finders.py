"""Where the next match of a rule, or of several, begins and ends. No I/O."""

from __future__ import annotations

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from adc.plugin import BytesRule

Pieces = tuple[bytes | int, ...]
"""Fixed texts, and the numbers of the groups of a match between them."""


Found = tuple[int, int, int, Any]
"""A match: where it begins, the number of its rule, where it ends, and what gives its groups (None for a plain rule).
The smallest of several is the one to replace."""

NOTHING: Found = (sys.maxsize, 0, sys.maxsize, None)


class Finder(ABC):
    """Finds matches of one rule or of several. `first` is the smallest number of them."""

    def __init__(self, first: int) -> None:
        self.first = first

    @abstractmethod
    def search(self, data: bytes, start: int, end: int) -> Found:
        """Return the first match that lies between `start` and `end`; of those at one place, that of the rule with the
        smallest number. NOTHING if there is none."""


class Text(Finder):
    """One text, in its own spelling."""

    def __init__(self, rule: int, text: bytes) -> None:
        super().__init__(rule)
        self._text = text
        self._size = len(text)

    def search(self, data: bytes, start: int, end: int) -> Found:
        at = data.find(self._text, start, end)
        return NOTHING if at < 0 else (at, self.first, at + self._size, None)


class Texts(Finder):
    """Many texts in one search, or texts in any spelling of their ASCII letters."""

    def __init__(self, texts: Sequence[tuple[int, bytes]], *, ignore_case: bool) -> None:
        super().__init__(texts[0][0])
        self._ignore_case = ignore_case
        self._rules: dict[bytes, int] = {}
        for rule, text in texts:
            self._rules.setdefault(text.lower() if ignore_case else text, rule)
        written = [_escaped(text, ignore_case) for _, text in texts]
        self._search = BytesRule("|".join(written), "").search

    def search(self, data: bytes, start: int, end: int) -> Found:
        match = self._search(data, start, end)
        if match is None:
            return NOTHING
        start, end = match.span()
        text = data[start:end]
        return start, self._rules[text.lower() if self._ignore_case else text], end, None


class Expression(Finder):
    """One regular expression."""

    def __init__(self, rule: int, expression: BytesRule) -> None:
        super().__init__(rule)
        self._search = expression.search

    def search(self, data: bytes, start: int, end: int) -> Found:
        match = self._search(data, start, end)
        if match is None:
            return NOTHING
        start, end = match.span()
        return start, self.first, end, match


_letter = re.compile(rb"[A-Za-z]")


def _escaped(text: bytes, ignore_case: bool) -> str:
    parts = []
    for byte in text:
        character = bytes([byte])
        if ignore_case and _letter.match(character):
            parts.append(f"[{chr(byte).lower()}{chr(byte).upper()}]")
        else:
            parts.append(f"\\x{byte:02x}")
    return "".join(parts)
