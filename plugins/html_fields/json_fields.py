"""Strings of JSON."""

from __future__ import annotations

import json
import re

from .fields import Sanitise, TooMuch, Unreadable

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*"|[\[\]{},:]', re.DOTALL)
MOST_DEPTH = 100
MOST_SIZE = 2 << 20
"""Bytes of JSON with HTML that are read: more would hold the worker for too long."""


def rewrite_json(body: bytes, sanitise: Sanitise) -> bytes | None:
    """Return `body` with the strings changed that `sanitise` changes, all else byte for byte; None if none is.

    The name of a string is the key that it is the value of, or that its arrays are, behind the keys of the objects
    around it: `comment.body`. Raises Unreadable.
    """
    try:
        text = body.decode("utf-8-sig" if body.startswith(b"\xef\xbb\xbf") else "utf-8")
        json.loads(text)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise Unreadable("the content is not JSON in UTF-8") from None
    if "<" not in text and "\\u003" not in text:
        return None
    if len(body) > MOST_SIZE:
        raise TooMuch(f"the JSON has HTML and more than {MOST_SIZE} bytes")
    made, position = [], 0
    for name, start, end in _strings(text):
        if "<" not in text[start:end] and "\\u003" not in text[start:end].lower():
            continue
        new = sanitise(name, json.loads(text[start:end]))
        if new is not None:
            made += [text[position:start], json.dumps(new, ensure_ascii=False)]
            position = end
    return "".join([*made, text[position:]]).encode() if made else None


def _strings(text: str) -> list[tuple[str, int, int]]:
    """Return name, begin and end of each string that is a value."""
    found: list[tuple[str, int, int]] = []
    path: list[str] = []
    objects: list[bool] = []
    expects_key = False
    for token in _TOKEN.finditer(text):
        kind = token[0][0]
        if kind == '"':
            if expects_key:
                path[-1] = json.loads(token[0])
                expects_key = False
            else:
                found.append((".".join(key for key in path if key), token.start(), token.end()))
        elif kind in "{[":
            if len(objects) == MOST_DEPTH:
                raise Unreadable(f"the JSON nests more than {MOST_DEPTH} deep")
            objects.append(kind == "{")
            path.append("")
            expects_key = kind == "{"
        elif kind in "}]":
            objects.pop()
            path.pop()
            expects_key = False
        elif kind == ",":
            expects_key = objects[-1]
    return found
