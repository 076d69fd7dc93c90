"""Text from requests made safe for logs and terminals: no control, format or line character passes as it is."""

from __future__ import annotations

import json
from typing import Any


def printable(text: str) -> str:
    """Return `text` with each character that is not printable escaped as in JSON: `\\u001b`."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def json_line(value: Any, indent: int | None = None) -> str:
    """Return `value` as JSON in which all text is printable; without `indent` it is one line."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "\n".join(printable(line) for line in text.split("\n"))


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]
