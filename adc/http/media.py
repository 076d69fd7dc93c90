"""Lists with quality values (RFC 9110 section 12.4.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

_MOST_ITEMS = 64
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_QUOTED_OR_OPEN = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
"""A string without its closing mark runs to the end, so that looking for the mark is never repeated."""

_ITEM = re.compile(rf'(?:[^",]|{_QUOTED_OR_OPEN})+', re.DOTALL)
_PART = re.compile(rf'(?:[^";]|{_QUOTED_OR_OPEN})+', re.DOTALL)
_PARAMETER = re.compile(rf"({_TOKEN})=({_TOKEN}|{_QUOTED})", re.DOTALL)
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


class Preference(NamedTuple):
    """An item of a list with quality values; `parameters` precede the quality, 0.0 to 1.0."""

    value: str
    parameters: dict[str, str]
    quality: float


def parse_preferences(value: bytes) -> list[Preference]:
    """Return the items of an Accept, Accept-Encoding, Accept-Language or TE value, best first, else in their order.

    Items with a malformed quality are left out; at most 64 items are read.
    """
    items = []
    for text in _pieces(_ITEM, value.decode("latin-1")):
        item = _preference(text)
        if item is not None:
            items.append(item)
    return sorted(items, key=lambda item: -item.quality)


def _pieces(pattern: re.Pattern[str], text: str) -> list[str]:
    return [match[0] for match in islice(pattern.finditer(text), _MOST_ITEMS)]


def _preference(text: str) -> Preference | None:
    parts = [part.strip(" \t") for part in _pieces(_PART, text)]
    if not parts or not parts[0]:
        return None
    before: list[str] = []
    for part in parts[1:]:
        name, _, weight = part.partition("=")
        if name.strip(" \t").lower() == "q":
            if _QUALITY.fullmatch(weight) is None:
                return None
            return Preference(parts[0].lower(), _parameters(before), float(weight))
        before.append(part)
    return Preference(parts[0].lower(), _parameters(before), 1.0)


def _parameters(parts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts:
        match = _PARAMETER.fullmatch(part.strip(" \t"))
        if match is None:
            continue
        name, value = match[1].lower(), match[2]
        if value[0] == '"':
            value = _QUOTED_PAIR.sub(r"\1", value[1:-1])
        found.setdefault(name, value)
    return found
