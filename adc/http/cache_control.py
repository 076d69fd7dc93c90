"""Cache-Control and fields of its syntax (RFC 9111 section 5.2), read in the way that a careful cache must.

The reader never raises. Malformed input is read in the way that restricts reuse most: a freshness directive with an
unreadable number counts as 0 (stale, RFC 9111 section 4.2.1), an unterminated quoted string hides nothing behind it,
and of an element that is no directive (`private; max-age=0`) the words that restrict reuse count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

MAX_SECONDS = 2**31
"""Larger delta-seconds count as this (RFC 9111 section 1.2.2)."""

_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_CLOSED = re.compile(rb'(?:[^"]|"(?:[^"\\]|\\.)*")*', re.DOTALL)
"""A line up to the first quote that is never closed."""

_ELEMENT = re.compile(rb'(?:[^",]|"(?:[^"\\]|\\.)*")+', re.DOTALL)
_PLAIN_ELEMENT = re.compile(rb"[^, \t][^,]*")
_COMMA = 0x2C
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_MAX_DIGITS = 10
_WELL_FORMED = re.compile(
    rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]*|\"(?:[^\"\\]|\\.)*\"))?", re.DOTALL
)
_RESTRICTIVE = re.compile(
    rb"(?<![\w\-])(?:no-store|no-cache|private|must-revalidate|proxy-revalidate)(?![\w\-])", re.IGNORECASE
)
MAX_DIRECTIVES = 100
MAX_BYTES = 4096
"""Directives and bytes read of one field. A field with more of them counts as OVERLONG."""


@dataclass(frozen=True, slots=True)
class CacheControl:
    """Directives by lower-case name. A value is None without an argument; of repeated directives the first
    counts.

    `listed` holds the field names (lower-case) of `no-cache="..."` and `private="..."`, when every occurrence
    of the directive has such a list.
    """

    values: Mapping[str, str | None] = field(default_factory=dict)
    listed: Mapping[str, frozenset[bytes]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __bool__(self) -> bool:
        return bool(self.values)

    def get(self, name: str) -> str | None:
        """Return the argument of directive `name`, None if it has none or is absent."""
        return self.values.get(name)

    def seconds(self, name: str) -> int | None:
        """Return the delta-seconds of `name`: None if absent, 0 if not a whole number, at most MAX_SECONDS."""
        if name not in self.values:
            return None
        return delta_seconds(self.values[name]) or 0

    def forbids(self, name: str) -> bool:
        """True if `name` (no-cache, private) applies to the whole response and not only to listed fields."""
        return name in self.values and name not in self.listed

    def __str__(self) -> str:
        parts = [name if value is None else f"{name}={_quote(value)}" for name, value in self.values.items()]
        return ", ".join(parts)


EMPTY = CacheControl()
OVERLONG = CacheControl({"no-store": None, "no-cache": None, "no-transform": None})
"""The most restrictive directives, for fields too long to be read."""


def parse_cache_control(lines: Sequence[bytes]) -> CacheControl:
    """Read the field's lines. Empty elements are skipped, names lower-cased, quoted arguments unquoted."""
    if sum(map(len, lines)) > MAX_BYTES:
        return OVERLONG
    elements: list[bytes] = []
    for line in lines:
        elements += split_list(line, MAX_DIRECTIVES + 1)
        if len(elements) > MAX_DIRECTIVES:
            return OVERLONG
    values: dict[str, str | None] = {}
    lists: dict[str, frozenset[bytes] | None] = {}
    for name, value in _directives(elements):
        values.setdefault(name, value)
        if name in _LISTING:
            _note_list(lists, name, value)
    if not values:
        return EMPTY
    return CacheControl(values, {name: listed for name, listed in lists.items() if listed})


_LISTING = frozenset({"no-cache", "private"})


def _note_list(lists: dict[str, frozenset[bytes] | None], name: str, value: str | None) -> None:
    names = field_names(value)
    known = lists.get(name, frozenset())
    lists[name] = None if names is None or known is None else known | names


def _directives(elements: Iterable[bytes]) -> Iterable[tuple[str, str | None]]:
    for item in elements:
        name, equals, argument = item.partition(b"=")
        directive = name.decode("latin-1").strip().lower()
        if directive:
            yield directive, _argument(argument, name) if equals else None
        if not _WELL_FORMED.fullmatch(item):
            for word in _RESTRICTIVE.findall(item):
                yield word.decode().lower(), None


def _argument(argument: bytes, name: bytes) -> str:
    """Return the argument's text; spaces beside `=` stay, so that a number beside them is no number."""
    quoted = _QUOTED.fullmatch(argument)
    text = (argument if quoted is None else quoted[1]).decode("latin-1")
    if quoted is not None:
        text = _ESCAPE.sub(r"\1", text)
    return " " + text if name.endswith((b" ", b"\t")) else text


def split_list(line: bytes, most: int | None = None) -> list[bytes]:
    """Return the elements of a comma-separated list, stripped, without empty ones; `most`: only the first ones.

    Commas in quoted strings do not divide. A quote that is never closed is an ordinary character, and so is every
    quote after it. Takes time in proportion to the length of `line`.
    """
    if b'"' not in line:
        return [match[0].rstrip(b" \t") for match in islice(_PLAIN_ELEMENT.finditer(line), most)]
    closed = _CLOSED.match(line)
    end = 0 if closed is None else closed.end()
    pieces = _ELEMENT.findall(line[:end])
    if end < len(line):
        first, *others = line[end:].split(b",")
        if pieces and line[end - 1] != _COMMA:
            pieces[-1] += first
        else:
            pieces.append(first)
        pieces += others
    return list(islice((item for piece in pieces if (item := piece.strip(b" \t"))), most))


def delta_seconds(text: str | None) -> int | None:
    """Return a non-negative whole number of seconds capped at MAX_SECONDS, None if `text` is not one."""
    if text is None or not text.isascii() or not text.isdigit():
        return None
    digits = text.lstrip("0")
    return MAX_SECONDS if len(digits) > _MAX_DIGITS else min(int(digits or "0"), MAX_SECONDS)


def field_names(text: str | None) -> frozenset[bytes] | None:
    """Return the lower-case field names of a list, None if `text` is absent, empty, too long or contains anything
    else."""
    if text is None or text.count(",") > MAX_DIRECTIVES:
        return None
    names = [name.strip(" \t").lower() for name in text.split(",")]
    names = [name for name in names if name]
    if not names or not all(_TOKEN.fullmatch(name) for name in names):
        return None
    return frozenset(name.encode() for name in names)


def _quote(value: str) -> str:
    if _TOKEN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
