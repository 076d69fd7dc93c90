"""Media types and lists with quality values (RFC 9110 sections 8.3.1 and 12.4.2)."""

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
_TYPE = re.compile(rf"({_TOKEN})/({_TOKEN})")
_PARAMETER = re.compile(rf"({_TOKEN})=({_TOKEN}|{_QUOTED})", re.DOTALL)
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


class MediaType(NamedTuple):
    """`type` and `subtype` are lower-case, as are the names of `parameters`; values are unquoted."""

    type: str
    subtype: str
    parameters: dict[str, str]

    @property
    def essence(self) -> str:
        """`type/subtype`."""
        return f"{self.type}/{self.subtype}"


class Preference(NamedTuple):
    """An item of a list with quality values; `parameters` are those before the quality, 0.0 to 1.0."""

    value: str
    parameters: dict[str, str]
    quality: float


def parse_media_type(value: bytes) -> MediaType | None:
    """The media type in a Content-Type value, None if it has none. Malformed parameters are left out."""
    parts = _pieces(_PART, value.decode("latin-1"))
    match = _TYPE.fullmatch(parts[0].strip(" \t")) if parts else None
    if match is None:
        return None
    return MediaType(match[1].lower(), match[2].lower(), _parameters(parts[1:]))


def parse_preferences(value: bytes) -> list[Preference]:
    """The items of an Accept, Accept-Encoding, Accept-Language or TE value, best first, else in their order.

    Items with a malformed quality are left out; at most 64 items are read.
    """
    items = []
    for text in _pieces(_ITEM, value.decode("latin-1")):
        item = _preference(text)
        if item is not None:
            items.append(item)
    return sorted(items, key=lambda item: -item.quality)


def preferred(accept: bytes | None, offers: Sequence[str]) -> str | None:
    """The one of `offers` (`type/subtype`, our best first) that `accept` rates highest, or None.

    No Accept at all takes the first offer. The most specific range that fits an offer decides its quality
    (RFC 9110 section 12.5.1); parameters of ranges are ignored.
    """
    if accept is None or not accept.strip(b" \t,"):
        return offers[0] if offers else None
    ranges = {item.value: item.quality for item in reversed(parse_preferences(accept))}
    best, best_quality = None, 0.0
    for offer in offers:
        for wanted in (offer, offer.partition("/")[0] + "/*", "*/*"):
            if wanted in ranges:
                if ranges[wanted] > best_quality:
                    best, best_quality = offer, ranges[wanted]
                break
    return best


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
