"""Values of parameters as they are written in URLs and fields (OpenAPI 3.1 section 4.8.12.6, RFC 6570)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_plus

Pairs = Sequence[tuple[str, str]]


class Kinds(NamedTuple):
    """What a schema lets a value be: types of JSON, of elements, and of members; empty if it says nothing."""

    types: frozenset[str]
    items: frozenset[str] = frozenset()
    members: dict[str, frozenset[str]] = {}  # noqa: RUF012 (never changed)


class Style(NamedTuple):
    """`style` and `explode` of a parameter."""

    name: str
    explode: bool


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Return the parameters of a query: names decoded, values as written."""
    pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_plus(name), value))
    return pairs


_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,39})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
"""A number as JSON writes it, within the range of floating point."""


def coerced(text: str, types: frozenset[str]) -> Any:
    """Return a text as the first type of JSON that it can be; the text itself if it can be none."""
    if "integer" in types or "number" in types:
        found = _NUMBER.fullmatch(text)
        if found is not None:
            return float(text) if found[1] or found[2] else int(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if "null" in types and not text and "string" not in types:
        return None
    return text


def from_query(name: str, pairs: Pairs, style: Style, kinds: Kinds) -> Any:
    """Return the value of a query parameter or cookie; None if it is absent."""
    if "object" in kinds.types:
        return _object_of_query(name, pairs, style, kinds)
    values = [value for other, value in pairs if other == name]
    if not values:
        return None
    if "array" in kinds.types:
        if not style.explode:
            values = _split(values[0], _DELIMITERS.get(style.name, (",",)))
        return [coerced(unquote_plus(value), kinds.items) for value in values]
    return coerced(unquote_plus(values[-1]), kinds.types)


_DELIMITERS = {"spaceDelimited": ("%20", "+", " "), "pipeDelimited": ("%7C", "%7c", "|")}


def _split(text: str, delimiters: Sequence[str]) -> list[str]:
    for delimiter in delimiters[1:]:
        text = text.replace(delimiter, delimiters[0])
    return text.split(delimiters[0])


def _object_of_query(name: str, pairs: Pairs, style: Style, kinds: Kinds) -> Any:
    if style.name == "deepObject":
        found = {
            other[len(name) + 1 : -1]: value
            for other, value in pairs
            if other.startswith(f"{name}[") and other.endswith("]")
        }
    elif style.explode:
        found = {other: value for other, value in pairs if other in kinds.members}
    else:
        values = [value for other, value in pairs if other == name]
        if not values:
            return None
        parts = values[0].split(",")
        found = dict(zip(parts[::2], parts[1::2], strict=False))
    if not found:
        return None
    return {key: _member(key, unquote_plus(value), kinds) for key, value in found.items()}


def _member(key: str, value: str, kinds: Kinds) -> Any:
    return coerced(value, kinds.members.get(key, frozenset()))


def from_path(name: str, text: str, style: Style, kinds: Kinds) -> Any:
    """Return the value of a path parameter."""
    delimiter = ","
    if style.name == "label":
        text = text.removeprefix(".")
        delimiter = "." if style.explode else ","
    elif style.name == "matrix":
        return _matrix(name, text, style, kinds)
    return _simple(text, delimiter, style.explode, kinds)


def from_header(text: str, style: Style, kinds: Kinds) -> Any:
    """Return the value of a header parameter, which is not percent-encoded."""
    if "array" in kinds.types or "object" in kinds.types:
        text = ",".join(part.strip(" \t") for part in text.split(","))
    return _simple(text, ",", style.explode, kinds, encoded=False)


def _matrix(name: str, text: str, style: Style, kinds: Kinds) -> Any:
    pairs = [_pair(part) for part in text.removeprefix(";").split(";")]
    if style.explode and "array" in kinds.types:
        return [coerced(unquote(value), kinds.items) for key, value in pairs if key == name]
    if style.explode and "object" in kinds.types:
        return {unquote(key): _member(unquote(key), unquote(value), kinds) for key, value in pairs}
    value = dict(pairs).get(name, "")
    return _simple(value, ",", style.explode, kinds)


def _simple(text: str, delimiter: str, explode: bool, kinds: Kinds, encoded: bool = True) -> Any:
    decode = unquote if encoded else str
    if "array" in kinds.types:
        return [coerced(decode(part), kinds.items) for part in text.split(delimiter)]
    if "object" in kinds.types:
        parts = text.split(delimiter)
        listed = zip(parts[::2], parts[1::2], strict=False)
        pairs = [_pair(part) for part in parts] if explode else listed
        return {decode(key): _member(decode(key), decode(value), kinds) for key, value in pairs}
    return coerced(decode(text), kinds.types)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
