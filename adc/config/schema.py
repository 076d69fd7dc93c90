"""The JSON Schema of configuration files, for editors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adc.config.model.config import Config
from adc.config.model.types import RANGE, UNIT
from adc.config.units import format_duration, format_share, format_size

_WRITTEN: dict[str, Callable[[float], str]] = {
    "duration": format_duration,
    "size": format_size,
    "share": format_share,
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one file, with short forms, ranges, defaults and descriptions.

    Rules between keys (names of pools, exactly one action) are not in it: `load` checks them.
    """
    schema: dict[str, Any] = _shown(Config.model_json_schema())
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "adc configuration"}
    return head | schema


def _shown(schema: Any) -> Any:
    """Return the schema for files: no null, defaults with their units, no titles of Python names."""
    if isinstance(schema, list):
        return [_shown(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    default = _default(schema)
    shown: dict[str, Any] = {
        key: _properties(item) if key in ("properties", "$defs") else _shown(item)
        for key, item in schema.items()
        if key not in ("default", "title", UNIT, RANGE)
    }
    if RANGE in schema and schema[RANGE] not in shown.get("description", ""):
        shown["description"] = f"{shown.get('description', '')} From {schema[RANGE]}.".strip()
    if "anyOf" in shown:
        shown["anyOf"] = [option for option in shown["anyOf"] if option != {"type": "null"}]
        if len(shown["anyOf"]) == 1:
            shown = shown["anyOf"][0] | {key: item for key, item in shown.items() if key != "anyOf"}
    return shown if default is None else shown | {"default": default}


def _properties(schemas: dict[str, Any]) -> dict[str, Any]:
    return {name: _shown(schema) for name, schema in schemas.items()}


def _default(schema: Mapping[str, Any]) -> Any:
    """Return the default as written in YAML; `None` if it has no short form."""
    default = schema.get("default")
    if isinstance(default, dict | list) or default == "":
        return None
    if default is None or UNIT not in schema:
        return default
    return _WRITTEN[str(schema[UNIT])](default)
