"""Pydantic's errors in options of plugins, in the words of a configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST = 60
_BOUNDS = {
    "greater_than_equal": ("ge", "{} and more"),
    "greater_than": ("gt", "more than {}"),
    "less_than_equal": ("le", "up to {}"),
    "less_than": ("lt", "less than {}"),
}


def message_of(error: Mapping[str, Any]) -> str:
    """Return the problem in one line: the value, unless it may be secret, and what is allowed."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown option; look at the reference of the plugin for those that it has here"
    if kind == "missing":
        return f"the option {error['loc'][-1]} is required"  # named, for a plugin that is written as one word
    if kind == "too_short":
        return f"has too few items; allowed: {context['min_length']} and more"
    if kind == "literal_error":
        return f"{_shown(value)} is not allowed; use {context['expected']}"
    if kind in _BOUNDS:
        key, allowed = _BOUNDS[kind]
        return f"{_shown(value)} is out of range; allowed: {allowed.format(context[key])}"
    return str(error["msg"]).removeprefix("Value error, ")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
