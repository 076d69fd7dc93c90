"""Tables of the keys of a JSON Schema, in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

ENVIRONMENT = {"pattern": "\\$\\{", "type": "string"}
"""Any value may also be written as `${NAME}`; said once, not at every key."""

NOTHING = {"type": "null"}
"""An option without a value; its default says so."""

WORDS = {
    "integer": "number",
    "boolean": "`true` or `false`",
    "string": "text",
    "number": "number",
    "null": "nothing",
}
FORMATS = {"duration": "duration", "size": "size", "path": "path"}
_UNITS = {
    "duration": {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001},
    "size": {"GB": 1 << 30, "MB": 1 << 20, "KB": 1 << 10, "B": 1},
}


def part_lines(part: Mapping[str, Any]) -> Iterator[str]:
    """Return its own words, its short forms, and a table of its keys."""
    forms = part.get("anyOf", [])
    whole = next((form for form in [part, *forms] if "properties" in form), {})
    text = part.get("description") or whole.get("description", "")
    if text:
        yield from (text, "")
    if not whole.get("properties"):
        yield f"Written as: {_kind(part)}."
        return
    short = [_kind(form) for form in forms if form is not whole and form != ENVIRONMENT]
    if short:
        yield from (f"Short: {' or '.join(dict.fromkeys(short))}.", "")
    yield from ("| key | value | default | |", "|---|---|---|---|")
    required = whole.get("required", ())
    for key, value in whole["properties"].items():
        default = "required" if key in required else _default(value)
        yield f"| `{key}` | {cell(_kind(value))} | {cell(default)} | {cell(value.get('description', ''))} |"


def _default(value: Mapping[str, Any]) -> str:
    if value.get("default") is None:
        return ""
    default = value["default"]
    if isinstance(default, int | float) and value.get("format") in _UNITS:
        default = _quantity(default, _UNITS[value["format"]])
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _quantity(number: float, units: Mapping[str, float]) -> str:
    """Return `number` with the largest unit of which it is a multiple."""
    for unit, scale in units.items():
        times = number / scale
        if times >= 1 and times == int(times):
            return f"{int(times)}{unit}"
    return f"{number:g}"


def _kind(value: Mapping[str, Any]) -> str:
    """Return in words what may be written."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower().replace(' ', '-')})"
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if "enum" in value:
        return ", ".join(f"`{item}`" for item in value["enum"])
    if value.get("format") in FORMATS:
        return FORMATS[value["format"]]
    if "anyOf" in value:
        kinds = [_kind(option) for option in value["anyOf"] if option not in (ENVIRONMENT, NOTHING)]
        return " or ".join(dict.fromkeys(kinds))
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"name: {_kind(inner)}" if isinstance(inner, dict) else "mapping"
    return _word(value)


def _word(value: Mapping[str, Any]) -> str:
    types = value.get("type", [])
    names = [types] if isinstance(types, str) else types
    word = " or ".join(WORDS.get(name, name) for name in names) or "any value"
    if "minimum" in value and "maximum" in value:
        return f"{word} from {value['minimum']} to {value['maximum']}"
    return word


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def met(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    waiting = [schema.get("properties", {})]
    while waiting:
        for name in _references(waiting.pop(0)):
            if name not in found:
                found.append(name)
                waiting.append(definitions[name])
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
    elif isinstance(schema, dict):
        for key, item in schema.items():
            if key == "$ref":
                yield item.rpartition("/")[2]
            else:
                yield from _references(item)
