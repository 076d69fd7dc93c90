"""Pydantic's errors in the words of a configuration file."""

from __future__ import annotations

from typing import Any

from adc.config.errors import Path
from adc.config.units import quote


def path_of(error: Any) -> Path:
    """Return the place of the error, as keys and positions, without the parts that pydantic adds to distinguish a key
    from its value."""
    return tuple(step for step in error["loc"] if step != "[key]")


def is_consequence(error: Any) -> bool:
    """True if the error only follows from others: pydantic counts a list without its wrong items."""
    return bool(error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"])


def message_of(error: Any) -> str:
    """Return the problem in one line."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    if kind in ("model_type", "model_attributes_type", "dict_type", "mapping_type"):
        return "is empty" if value is None else f"{quote(value)} is not a mapping (key: value)"
    if kind in ("tuple_type", "list_type"):
        return f"{quote(value)} is not a list"
    if kind == "missing":
        return "is required and missing"
    if kind == "too_short":
        return f"has too few items; at least {context.get('min_length', 1)} needed"
    if kind == "too_long":
        return f"has too many items; at most {context.get('max_length')} are allowed"
    return str(error["msg"])
