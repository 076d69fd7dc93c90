"""One line of the error log: a time, a level, an event name and its fields, as text or as JSON.

The grammar is the same in every process. Names and values become bounded, printable ASCII.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Literal, Protocol

from adc.telemetry.escape import escape_text, json_text
from adc.telemetry.timestamps import iso_time

Level = Literal["debug", "info", "warn", "error"]
Style = Literal["text", "json"]

LEVELS: Mapping[str, int] = MappingProxyType({"debug": 0, "info": 1, "warn": 2, "error": 3})
VALUE_LENGTH = 2000
"""Characters of a field's value, escaped; more are cut."""

RESERVED = frozenset({"ts", "level", "event"})
"""Keys of each JSON line. A field of that name, which only a plugin can choose, gets `_` behind it."""

_MOST = 1 << 63
_BARE = re.compile(r"[!#-<>-\[\]-~]+")
_NAME_LENGTH = 64
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_.-]")

Compose = Callable[[float, Level, str, Mapping[str, object]], str]


class Report(Protocol):
    """Logs one event at the level that the receiver chooses."""

    def __call__(self, event: str, /, **fields: object) -> None: ...


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with its fields; `str` gives both as a text line has them."""

    event: str
    fields: Mapping[str, object]

    def __str__(self) -> str:
        return _spelled(self.event, self.fields)


def composer(style: Style) -> Compose:
    """Return the function that writes lines in `style`."""
    return json_line if style == "json" else text_line


def text_line(now: float, level: Level, event: str, fields: Mapping[str, object]) -> str:
    """Return `time level event key=value ...`; a value with spaces, quotes or `=` is quoted."""
    return f"{iso_time(now)} {level} {_spelled(event, fields)}"


def json_line(now: float, level: Level, event: str, fields: Mapping[str, object]) -> str:
    """Return one JSON object: `ts`, `level`, `event`, then the fields; numbers stay numbers."""
    parts = [f'"ts":"{iso_time(now)}","level":"{level}","event":{json_text(event)}']
    for key, value in fields.items():
        name = json_text(f"{key}_" if key in RESERVED else key, _NAME_LENGTH)
        if _is_json(value):
            parts.append(f"{name}:{json.dumps(value)}")
        else:
            parts.append(f"{name}:{json_text(_text_of(value), VALUE_LENGTH)}")
    return "{" + ",".join(parts) + "}"


def _is_json(value: object) -> bool:
    """True if `value` is written to JSON as it is: None, a finite number, not a larger integer than readers expect."""
    if isinstance(value, int):
        return -_MOST <= value < _MOST
    return value is None or (isinstance(value, float) and isfinite(value))


def _spelled(event: str, fields: Mapping[str, object]) -> str:
    parts = [escape_text(event)]
    for key, value in fields.items():
        name = _NOT_IN_NAME.sub("_", key[:_NAME_LENGTH])
        text = _text_of(value)
        bare = len(text) <= VALUE_LENGTH and _BARE.fullmatch(text)
        parts.append(f"{name}={text}" if bare else f'{name}="{escape_text(text, VALUE_LENGTH)}"')
    return " ".join(parts)


def _text_of(value: object) -> str:
    if isinstance(value, bytes):
        value = value[: VALUE_LENGTH + 1].decode("utf-8", "backslashreplace")
    try:
        return str(value)[: VALUE_LENGTH + 1]
    except Exception as error:  # of an integer of thousands of digits, or of a plugin's own class
        return f"<{type(value).__name__} without text: {type(error).__name__}>"
