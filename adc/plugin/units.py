"""Option types for quantities that are written with their unit, as in the rest of the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([A-Za-z]+)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def _scaled(value: object, units: Mapping[str, float], what: str) -> float:
    if value == "0" or (value == 0 and not isinstance(value, bool)):
        return 0.0
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[2] not in units:
        raise ValueError(f"{value!r} is not a {what}; write a number with a unit: {', '.join(units)}")
    return float(found[1]) * units[found[2]]


def seconds(value: object) -> float:
    """Return the seconds of `500ms`, `30s`, `10m`, `1h`, `7d`. Raises ValueError."""
    return _scaled(value, _SECONDS, "duration")


def size(value: object) -> int:
    """Return the bytes of `512B`, `64KB`, `1GB`; 1 KB is 1024 bytes. Raises ValueError."""
    return int(_scaled(value.upper() if isinstance(value, str) else value, _BYTES, "size"))


def _unless_parsed_seconds(value: object) -> object:
    return value if isinstance(value, float) and 0 <= value < inf else seconds(value)


def _unless_parsed_size(value: object) -> object:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else size(value)


Duration = Annotated[
    float, BeforeValidator(_unless_parsed_seconds), WithJsonSchema({"type": "string", "format": "duration"})
]
"""Seconds as a float, written `500ms`, `30s`, `10m`, `1h` or `7d`."""

Size = Annotated[
    int, BeforeValidator(_unless_parsed_size), WithJsonSchema({"type": "string", "format": "size"})
]
"""Bytes as an int, written `64KB` or `1GB`; a bare number is bytes."""
