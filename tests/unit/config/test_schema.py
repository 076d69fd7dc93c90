import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from adc.config import json_schema
from adc.config.yaml_marks import compose, plain

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "config").glob("*.yaml"))
SCHEMA = json_schema()
TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def violations(value: Any, schema: dict[str, Any], at: str = "") -> Iterator[str]:
    """What of `value` the schema forbids, for the words of JSON Schema that ours uses."""
    if "$ref" in schema:
        yield from violations(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], at)
    if "anyOf" in schema and not any(not list(violations(value, option, at)) for option in schema["anyOf"]):
        yield f"{at}: {value!r} is none of the forms allowed"
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        kinds = [TYPES[name] for name in names]
        if not any(
            isinstance(value, kind) and (kind is bool or not isinstance(value, bool)) for kind in kinds
        ):
            yield f"{at}: {value!r} is no {names}"
            return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} not in {schema['enum']}"
    if "const" in schema and (value != schema["const"] or type(value) is not type(schema["const"])):
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        yield f"{at}: {value!r} does not match"
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at}: {value!r} out of range"
    if isinstance(value, dict):
        yield from _of_mapping(value, schema, at)
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from violations(item, schema.get("items", {}), f"{at}[{place}]")


def _of_mapping(value: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    yield from (f"{at}: {key} is missing" for key in schema.get("required", ()) if key not in value)
    for key, item in value.items():
        if key not in known and others is False:
            yield f"{at}: {key} is not allowed"
        else:
            below = known.get(key, others if isinstance(others, dict) else {})
            yield from violations(item, below, f"{at}.{key}")


def read(text: str) -> Any:
    root, _ = compose(text, "f", {})
    assert root is not None
    return plain(root)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_agree_with_the_schema(file: Path) -> None:
    assert list(violations(read(file.read_text()), SCHEMA)) == []


@pytest.mark.parametrize(
    "text",
    [
        "listeners: [{bind: ':1', tls: {certificates: {certificate: a, key: b}}}]",
        "{listeners: [{bind: ':1'}], admin: false, workers: auto, access_log: off}",
        "{listeners: [{bind: ':1'}], routes: [{match: {tls.sni: a, path: [/a, {regex: b}]}, pool: p}]}",
        "{listeners: [{bind: ':1'}], routes: [{pool: p, cache: true, retries: false}]}",
        "{listeners: [{bind: ':1'}], pools: {p: [m:1], q: {members: m:1, balance: random}}}",
        "{listeners: [{bind: ':1'}], pools: {p: {members: m:1, balance: {consistent_hash: {key: path}}}}}",
        "{listeners: [{bind: ':1'}], shutdown: {grace: '${G:-1s}'}, workers: '${W}'}",
    ],
)
def test_short_forms_and_variables_agree_with_the_schema(text: str) -> None:
    assert list(violations(read(text), SCHEMA)) == []


@pytest.mark.parametrize(
    "text",
    [
        "listeners: [{bind: ':1', nmae: x}]",
        "{listeners: [{bind: ':1'}], workers: -1}",
        "{listeners: [{bind: ':1'}], shutdown: {grace: 30}}",
        "{listeners: [{bind: ':1'}], error_log: {level: loud}}",
        "{listeners: [{bind: ':1'}], pools: {p: {members: [m:1], balance: nope}}}",
        "{listeners: [{bind: ':1'}], folder: x}",
        "{workers: 1}",
    ],
)
def test_mistakes_disagree_with_the_schema(text: str) -> None:
    assert list(violations(read(text), SCHEMA))


def test_the_schema_is_json_with_a_description_for_every_key() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    mappings = [SCHEMA, *SCHEMA["$defs"].values()]
    parts = [
        part for mapping in mappings for part in [mapping, *mapping.get("anyOf", ())] if "properties" in part
    ]
    silent = [
        key
        for part in parts
        for key, schema in part["properties"].items()
        if not (schema.get("description") or "$ref" in schema)
    ]
    assert len(parts) > 30
    assert silent == []


def test_defaults_and_ranges_are_written_with_their_units() -> None:
    grace = SCHEMA["$defs"]["Shutdown"]["properties"]["grace"]
    assert grace["default"] == "30s"
    assert grace["description"].endswith("From 0s to 1d.")


def test_nothing_is_null() -> None:
    assert '"null"' not in yaml.safe_dump(SCHEMA, default_style='"')
