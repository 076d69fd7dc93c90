"""Where in a document a value stands. Only for documents that were refused, so that valid ones pay nothing."""

from __future__ import annotations

import json
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
        found = _member(text, at, key) if text[at : at + 1] == "{" else _element(text, at, key)
        if found is None:
            break
        at = found
    return place_at(text, at)


def place_at(text: str, at: int) -> Place:
    """Return the line and the column of an offset."""
    return Place(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _member(text: str, at: int, key: str | int) -> int | None:
    """Return where the member called `key` begins; of repeated names, the last."""
    found = None
    at = _skip(text, at + 1)
    while text[at : at + 1] == '"':
        name, at = _SCAN(text, at)
        at = _skip(text, _skip(text, at) + 1)  # behind the colon
        if name == key:
            found = at
        at = _skip(text, _SCAN(text, at)[1])
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
    return found


def _element(text: str, at: int, key: str | int) -> int | None:
    if text[at : at + 1] != "[" or not isinstance(key, int):
        return None
    at = _skip(text, at + 1)
    for _ in range(key):
        at = _skip(text, _SCAN(text, at)[1])
        if text[at : at + 1] != ",":
            return None
        at = _skip(text, at + 1)
    return at
