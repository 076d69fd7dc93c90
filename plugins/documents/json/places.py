"""Where in a document a value stands. Only for documents that were refused, so that valid ones pay nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from adc_plugins.documents.json.refused import Path

_SPACE = " \t\n\r"
_SCAN = json.JSONDecoder().raw_decode


class Place(NamedTuple):
    """Line and column, counted from 1."""

    line: int
    column: int


def place_of(text: str, path: Path) -> Place:
    """Return where the value at `path` of a well-formed document begins; as near as possible if there is none."""
    at = _skip(text, 0)
    for key in path:
        found = [
            value_at for name, _, value_at in _parts(text, at) if name == key and type(name) is type(key)
        ]
        if not found:
            break
        at = found[-1]  # of repeated names, the last counts
    return place_at(text, at)


def place_at(text: str, at: int) -> Place:
    """Return the line and the column of an offset."""
    return Place(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


class Repeated(NamedTuple):
    """A name that an object has twice: the path of the object, the name, and where it is repeated."""

    path: Path
    name: str
    place: Place


def repeated_name(text: str) -> Repeated | None:
    """Return the first name that is repeated in an object of a well-formed document."""
    path: list[str | int] = []
    at = _skip(text, 0)
    while True:
        seen: set[str | int] = set()
        for key, key_at, value_at in _parts(text, at):
            if key in seen and isinstance(key, str):
                return Repeated(tuple(path), key, place_at(text, key_at))
            seen.add(key)
            if _has_repeated(text, value_at):
                path.append(key)
                at = value_at
                break
        else:
            return None


class _Found(Exception):
    """A name is repeated."""


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Found


_STRICT_SCAN = json.JSONDecoder(object_pairs_hook=_unique).raw_decode


def _has_repeated(text: str, at: int) -> bool:
    try:
        _STRICT_SCAN(text, at)
    except _Found:
        return True
    return False


def _parts(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Yield key, offset of the key and offset of the value of each part of an object or array."""
    closing = {"{": "}", "[": "]"}.get(text[at : at + 1])
    is_object, number = closing == "}", 0
    at = _skip(text, at + 1)
    while closing is not None and text[at : at + 1] not in ("", closing):
        key_at = at
        key: str | int = number
        if is_object:
            key, at = _SCAN(text, at)
            at = _skip(text, _skip(text, at) + 1)  # behind the colon
        yield key, key_at, at
        number += 1
        at = _skip(text, _SCAN(text, at)[1])
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at
