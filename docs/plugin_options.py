"""The page of the bundled plugins and their options."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from pydantic import TypeAdapter

from adc.plugin import Plugin
from docs.schema_tables import met, part_lines

HEAD = """# Bundled plugins

Made by `make docs`. A plugin stands in the `plugins` of a route, by its name or with options:
`- rate_limit: {rate: 10/s}`. Every plugin also has `on_error`, `budget` and `timeout`
([write a plugin](../howto/write-a-plugin.md#options-of-every-plugin))."""


def bundled() -> dict[str, type[Plugin[Any]]]:
    """Return the bundled plugins by name."""
    found = entry_points(group="adc.plugins")
    return {each.name: each.load() for each in sorted(found) if each.value.startswith("adc_plugins.")}


def plugin_options() -> str:
    """Return a section for each plugin: its docstring, its options, and the parts that these have."""
    lines = [HEAD]
    for name, plugin in bundled().items():
        lines += ["", f"## {name}", "", *_section(name, plugin)]
    return "\n".join(lines) + "\n"


def _section(name: str, plugin: type[Plugin[Any]]) -> Iterator[str]:
    schema = options_schema(name, plugin)
    yield inspect.cleandoc(plugin.__doc__ or "")
    if not schema.get("properties"):
        yield from ("", "No options.")
        return
    yield ""
    yield from part_lines({key: value for key, value in schema.items() if key != "description"})
    definitions = schema.get("$defs", {})
    for each in met(schema, definitions):
        yield from ("", f"### {each}", "", *part_lines(definitions[each]))


def options_schema(name: str, plugin: type[Plugin[Any]]) -> dict[str, Any]:
    """Return the JSON Schema of a plugin's options; names of its definitions begin with that of the plugin."""
    schema = TypeAdapter(plugin.options_type).json_schema()
    text = json.dumps(schema)
    for each in schema.get("$defs", {}):
        text = text.replace(f'"#/$defs/{each}"', f'"#/$defs/{name} {each}"')
    renamed: dict[str, Any] = json.loads(text)
    renamed["$defs"] = {f"{name} {each}": part for each, part in renamed.get("$defs", {}).items()}
    return renamed
