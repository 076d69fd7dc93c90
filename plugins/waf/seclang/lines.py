"""Logical lines of a rule file, and their words.

A backslash before the end of a line joins the next one to it. A line that begins with `#` is a comment, with all that
is joined to it if it is a rule that was commented out. A word that begins with `#` begins a comment, too. Words are
separated by blanks; a word in double or single quotes ends at the same quote without a backslash before it. In a quoted
word, a backslash before the quote stands for the quote; every other backslash stays, so that expressions are written
once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adc_plugins.waf.seclang.model import Place, SecLangError

_BLANKS = " \t\v\f"
_QUOTES = "\"'"
_BARE: Final = re.compile(rf"[^{_BLANKS}]+")
_QUOTED: Final = {
    quote: re.compile(rf"(?:[^\\{quote}]++|\\.)*+{quote}", re.DOTALL) for quote in ('"', "'", "/")
}
_COMMENTED_RULE: Final = re.compile(r"[ \t]*#[ \t#]*Sec(?:Rule|Action)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A directive with its words; `place` is where the first line of it is written."""

    place: Place
    name: str
    words: tuple[str, ...]


def logical_lines(file: str, text: str) -> Iterator[Line]:
    """Yield the directives of `text`; comments and empty lines are left out."""
    for number, joined in _joined(text.removeprefix("\ufeff")):
        place = Place(file, number)
        words = split_words(joined, place)
        if words:
            yield Line(place, words[0], tuple(words[1:]))


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number of the first physical line and the text of each logical line."""
    parts: list[str] = []
    first = 1
    for number, physical in enumerate(text.split("\n"), 1):
        physical = physical.removesuffix("\r")
        first = first if parts else number
        comment = not parts and physical.lstrip(_BLANKS).startswith("#")
        if physical.endswith("\\") and (not comment or _COMMENTED_RULE.match(physical)):
            parts.append(physical[:-1])
            continue
        yield first, "".join([*parts, physical])
        parts = []
    if parts:
        yield first, "".join(parts)


def split_words(content: str, place: Place) -> list[str]:
    """Return the words of a logical line; raise SecLangError for a quote that is not closed."""
    words = []
    position = 0
    while position < len(content):
        if content[position] in _BLANKS:
            position += 1
            continue
        if content[position] == "#":
            break
        word, position = _word(content, position, place)
        words.append(word)
    return words


def _word(content: str, start: int, place: Place) -> tuple[str, int]:
    quote = content[start]
    if quote not in _QUOTES:
        matched = _BARE.match(content, start)
        assert matched
        return matched[0], matched.end()
    end = quoted_end(content, start)
    if end < 0:
        raise SecLangError(
            place, f"the quote {quote} before {content[start + 1 : start + 21]!r} is not closed"
        )
    if content[end + 1 : end + 2] not in ("", *_BLANKS):
        raise SecLangError(
            place,
            f"{content[end + 1 : end + 21]!r} follows a closing quote {quote}; write a blank between them",
        )
    return content[start + 1 : end].replace("\\" + quote, quote), end + 1


def quoted_end(text: str, start: int) -> int:
    """Return the index of the quote that closes the one at `start`, -1 without one.

    A backslash before a quote stands for the quote even if a backslash precedes it, as in expressions.
    """
    matched = _QUOTED[text[start]].match(text, start + 1)
    return matched.end() - 1 if matched else -1
