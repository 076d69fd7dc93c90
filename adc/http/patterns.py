"""Regular expressions of a configuration, matched in time linear in the text (RE2).

Every expression that an operator writes is compiled here, because Python's `re` backtracks: one request against
`^/(a+)+$` would hold a worker for minutes. RE2 has no lookaround, backreferences, atomic groups or possessive
quantifiers; `\\d`, `\\w`, `\\s` and `\\b` are ASCII, and `$` is the end of the text only.
"""

from __future__ import annotations

import re
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from cachetools import LRUCache, cached

if TYPE_CHECKING:
    import re2

MEMORY: Final = 1 << 20
"""Bytes that RE2 may use for one expression."""

MOST_STEPS: Final = 4000
"""Instructions of a compiled expression: together with the length of the text they bound the time of a search."""

MOST_REPLACED: Final = 256
"""Occurrences that `Replacement` replaces: each one may scan the rest of the text."""

TOO_LARGE: Final = "the expression is too large: repeat less, or shorter parts"

_HINTS: Final = {
    "(?=": "lookahead",
    "(?!": "lookahead",
    "(?<=": "lookbehind",
    "(?<!": "lookbehind",
    "(?>": "an atomic group",
    "(?(": "a conditional group",
    "(?P": "a backreference",
    "(?x": "the flag x",
    "(?a": "the flag a",
    "(?u": "the flag u",
    "(?L": "the flag L",
    "(?#": "a comment",
    "++": "a possessive quantifier",
    "*+": "a possessive quantifier",
    "?+": "a possessive quantifier",
}
# Characters that stand for themselves in a class, an escape, or a repetition without a minimum.
_written: Final = re.compile(r"\[\^?\]?(?:\\(?s:.)|[^\]\\])*\]|\\(?s:.)|\{,([0-9]+)\}")
_template_part: Final = re.compile(r"\\(?:([1-9][0-9]?)|g<([A-Za-z0-9_]+)>|(\\)|(?s:.)|\Z)")


class Pattern:
    """A compiled expression, searched anywhere in a text. Raises `ValueError` for one that RE2 refuses, or that is
    too large."""

    __slots__ = ("_search", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._search = _compile(text).search

    def found_in(self, text: str) -> bool:
        """True if the expression matches somewhere in `text`."""
        return self._search(text.encode("utf-8", "replace")) is not None


class BytesPattern:
    """A compiled expression over bytes of any encoding; characters beyond ASCII in it stand for their UTF-8 bytes.

    Raises `ValueError` as `Pattern` does.
    """

    __slots__ = ("_search",)

    def __init__(self, text: str) -> None:
        self._search = _compile(text, latin_1=True).search

    def found_in(self, data: bytes) -> bool:
        """True if the expression matches somewhere in `data`."""
        return self._search(data) is not None


class BytesReplacement:
    """Replaces every occurrence of an expression in bytes of any encoding, which it reads as `BytesPattern` does.

    In `template`, `\\1` and `\\g<name>` are groups and `\\\\` is a backslash. Raises `ValueError` for an
    expression or a template that cannot be used.
    """

    __slots__ = ("_find", "_pieces")

    def __init__(self, pattern: str, template: str, *, latin_1: bool = True) -> None:
        compiled = _compile(pattern, latin_1=latin_1)
        self._find = compiled.finditer
        self._pieces = _pieces(template, compiled.groups, compiled.groupindex)

    def apply(self, data: bytes) -> bytes:
        """Return `data` with the replacements. Raises `ValueError` if there are more than `MOST_REPLACED`."""
        made: list[bytes] = []
        end = 0
        for number, match in enumerate(self._find(data)):
            if number == MOST_REPLACED:
                raise ValueError(f"more than {MOST_REPLACED} occurrences to replace")
            start, after = match.span()
            made.append(data[end:start])
            made += [
                (match.group(piece) or b"") if isinstance(piece, int) else piece for piece in self._pieces
            ]
            end = after
        made.append(data[end:])
        return b"".join(made)


class Replacement:
    """Replaces every occurrence of an expression in text. Raises `ValueError` as `BytesReplacement` does."""

    __slots__ = ("_bytes",)

    def __init__(self, pattern: str, template: str) -> None:
        self._bytes = BytesReplacement(pattern, template, latin_1=False)

    def apply(self, text: str) -> str:
        """Return `text` with the replacements. Raises `ValueError` if there are more than `MOST_REPLACED`."""
        return self._bytes.apply(text.encode("utf-8", "replace")).decode("utf-8", "replace")


class BytesRule:
    """An expression to find in stretches of bytes, and a template for what replaces a match.

    `pieces` are the fixed texts of the template and the numbers of the groups between them. Raises `ValueError` as
    `BytesReplacement` does, and for an expression that can match an empty text.
    """

    __slots__ = ("pieces", "search")

    def __init__(self, pattern: str, template: str) -> None:
        compiled = _compile(pattern, latin_1=True)
        if any(compiled.search(text, at, at) for text, at in _AROUND):
            raise ValueError("the expression can match an empty text")
        self.search = compiled.search
        """`search(data, start, end)`: the first match between the two; `^`, `$` and `\\b` see what is around."""
        self.pieces = _pieces(template, compiled.groups, compiled.groupindex)


_SURROUNDINGS: Final = (b"", b"\n", b"a", b" ")
_AROUND: Final = tuple((before + after, len(before)) for before in _SURROUNDINGS for after in _SURROUNDINGS)
"""Every place that `^`, `$`, `\\b` and their like tell apart."""

_KEPT_STEPS: Final = 1 << 18
"""Instructions of all compiled expressions that are kept: a reload compiles only what is new."""

_kept: LRUCache[Any, re2._Regexp] = LRUCache(_KEPT_STEPS, getsizeof=lambda compiled: compiled.programsize)


@cached(_kept, lock=Lock())
def _compile(text: str, *, latin_1: bool = False) -> re2._Regexp:
    """Compile an expression; the first one imports RE2, which a configuration without expressions does not need."""
    import re2

    options = re2.Options()
    if latin_1:
        options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = MEMORY
    try:
        compiled = re2.compile(_written.sub(_translated, text).encode("utf-8", "surrogatepass"), options)
    except re2.error as error:
        raise ValueError(_explained(error)) from None
    if max(compiled.programsize, compiled.reverseprogramsize) > MOST_STEPS:
        raise ValueError(TOO_LARGE)
    return compiled


def _translated(part: re.Match[str]) -> str:
    """Python's `\\Z` and `{,3}` in RE2's spelling."""
    if part[1]:
        return f"{{0,{part[1]}}}"
    return r"\z" if part[0] == r"\Z" else part[0]


def _explained(error: re2.error) -> str:
    said = error.args[0] if error.args else b""
    reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    if reason.startswith("pattern too large"):
        return TOO_LARGE
    operator = reason.rpartition(": ")[2]
    backreference = operator[:1] == "\\" and operator[1:].isdecimal()
    what = "a backreference" if backreference else _HINTS.get(operator)
    if what is None:
        return reason
    return f"{what} ({operator}) is not supported: expressions are matched in linear time, as RE2 does"


def _pieces(template: str, groups: int, names: dict[bytes, int]) -> tuple[bytes | int, ...]:
    """Return the fixed texts and the group numbers of a template."""
    pieces: list[bytes | int] = []
    end = 0
    for part in _template_part.finditer(template):
        pieces.append(template[end : part.start()].encode())
        number, name, backslash = part.groups()
        if backslash:
            pieces.append(b"\\")
        else:
            pieces.append(_group(part[0], number, name, groups, names))
        end = part.end()
    pieces.append(template[end:].encode())
    return tuple(piece for piece in pieces if piece != b"")


def _group(written: str, number: str | None, name: str | None, groups: int, names: dict[bytes, int]) -> int:
    if name is not None and name.encode() in names:
        return names[name.encode()]
    digits = number or name or ""
    if digits.isdecimal() and int(digits) <= groups:
        return int(digits)
    if number is None and name is None:
        raise ValueError(f"unknown escape '{written}'; use \\1, \\g<name> or \\\\")
    raise ValueError(f"the expression has no group '{written}'")
