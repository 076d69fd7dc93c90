"""Statuses of error pages, and which of the application's errors get one."""

from __future__ import annotations

import re
from typing import Annotated, Any

from adc.config.model.types import EXPANSION, Value, listed
from adc.config.units import quote

_WORDS = "a status from 400 to 599, or a class of them, 4xx or 5xx"
_STATUS = re.compile(r"[45][0-9]{2}")


def _error_status(value: Any) -> int | str:
    text = str(value)
    if text in ("4xx", "5xx"):
        return text
    if isinstance(value, bool) or not _STATUS.fullmatch(text):
        raise ValueError(f"{quote(value)} is not {_WORDS}")
    return int(text)


def _intercept(value: Any) -> bool | tuple[int | str, ...]:
    if isinstance(value, bool):
        return value
    if isinstance(value, dict) or not listed(value):
        raise ValueError(f"{quote(value)} is not true, false, or a list of statuses such as [404, 5xx]")
    return tuple(_error_status(each) for each in listed(value))


_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "integer"}, {"enum": ["4xx", "5xx"]}, EXPANSION]}

ErrorStatus = Annotated[int | str, Value(_error_status, {"type": "string", "description": _WORDS})]
Intercepted = Annotated[
    bool | tuple[int | str, ...],
    Value(_intercept, {"anyOf": [{"type": "boolean"}, {"type": "array", "items": _SCHEMA}, _SCHEMA]}),
]


def statuses_of(named: int | str) -> range:
    """Return the statuses of a class such as `5xx`, or the one that `named` is."""
    if isinstance(named, int):
        return range(named, named + 1)
    first = int(named[0]) * 100
    return range(first, first + 100)
