"""Documents: files, references, versions, and schemas as JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from adc_plugins.documents.openapi.plugin import OpenApi

from adc.plugin.testkit import OptionErrors, Trial, answer, request

JSON = {"Content-Type": "application/json"}


def document(schema: Any = None, version: str = "3.1.0", **more: Any) -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": schema or {}}}}
    operation = {"requestBody": body, "responses": {"200": {"description": "", **body}}}
    return {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"post": operation}},
        **more,
    }


def trial(folder: Path, written: dict[str, Any], **options: Any) -> Trial:
    (folder / "api.yaml").write_text(yaml.safe_dump(written))
    return Trial(OpenApi, {"document": "api.yaml", **options}, folder=folder)


def status(folder: Path, written: dict[str, Any], value: Any) -> int:
    head = request("POST", "/a", JSON)
    return trial(folder, written).run(head, body=json.dumps(value).encode()).response.status


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string", "nullable": True}, [None, "x"], [1]),
        ({"type": "string", "nullable": True, "enum": ["a"]}, [None, "a"], ["b"]),
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": True}, [6], [5]),
        ({"type": "integer", "maximum": 5, "exclusiveMaximum": False}, [5], [6]),
        (
            {"properties": {"nullable": {"type": "string", "nullable": True}}},
            [{"nullable": None}],
            [{"nullable": 1}],
        ),
        ({"type": "array", "items": {"type": "integer", "nullable": True}}, [[1, None]], [["x"]]),
    ],
)
def test_schema_of_3_0_means_what_its_dialect_says(
    tmp_path: Path, schema: Any, good: list[Any], bad: list[Any]
) -> None:
    written = document(schema, "3.0.3")
    assert {status(tmp_path, written, value) for value in good} == {200}
    assert {status(tmp_path, written, value) for value in bad} == {400}


def test_schema_of_3_1_is_json_schema(tmp_path: Path) -> None:
    written = document({"type": ["string", "null"], "const": "a"})
    assert [status(tmp_path, written, value) for value in ("a", None, 1)] == [200, 400, 400]


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_required_property_of_the_other_direction_may_be_absent(tmp_path: Path, version: str) -> None:
    user = {
        "type": "object",
        "required": ["id", "password", "name"],
        "properties": {
            "id": {"type": "integer", "readOnly": True},
            "password": {"type": "string", "writeOnly": True},
            "name": {"type": "string"},
        },
    }
    written = document({"$ref": "#/components/schemas/User"}, version, components={"schemas": {"User": user}})
    both = trial(tmp_path, written, on="both")

    def exchanged(sent: Any, received: Any) -> int:
        response = answer(headers=JSON, body=json.dumps(received).encode())
        return both.run(request("POST", "/a", JSON), response, body=json.dumps(sent).encode()).response.status

    assert exchanged({"name": "x", "password": "p"}, {"name": "x", "id": 1}) == 200
    assert exchanged({"name": "x", "id": 1}, {"name": "x", "id": 1}) == 400
    assert exchanged({"name": "x", "password": "p"}, {"name": "x", "password": "p"}) == 502


def test_references_lead_to_other_files(tmp_path: Path) -> None:
    (tmp_path / "item.json").write_text('{"$defs": {"n": {"type": "integer"}}, "$ref": "#/$defs/n"}')
    (tmp_path / "common.yaml").write_text("Item: {type: array, items: {$ref: item.json}}\n")
    written = document({"$ref": "common.yaml#/Item"})
    assert [status(tmp_path, written, value) for value in ([1], ["x"])] == [200, 400]


def test_property_named_like_a_keyword_is_converted(tmp_path: Path) -> None:
    (tmp_path / "item.yaml").write_text("type: integer\n")
    written = document({"properties": {"default": {"$ref": "item.yaml"}, "example": {"type": "string"}}})
    assert [status(tmp_path, written, {"default": value}) for value in (1, "x")] == [200, 400]


def test_recursive_schema_is_followed(tmp_path: Path) -> None:
    tree = {"type": "object", "properties": {"below": {"$ref": "#/components/schemas/Tree"}}}
    written = document({"$ref": "#/components/schemas/Tree"}, components={"schemas": {"Tree": tree}})
    assert [
        status(tmp_path, written, value) for value in ({"below": {"below": {}}}, {"below": {"below": 1}})
    ] == [200, 400]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (document(version="2.0"), "the OpenAPI version '2.0'; allowed: 3.0.x and 3.1.x"),
        (document({"$ref": "http://127.0.0.1:9/x.json"}), "only local files are read"),
        (document({"$ref": "missing.yaml"}), "missing.yaml cannot be read"),
        (document({"$ref": "#/components/schemas/No"}), "No"),
        (document({"type": "nope"}), "nope"),
        (
            {**document(), "paths": {"/a": {"get": {"parameters": [{"name": "x"}], "responses": {}}}}},
            "api.yaml#",
        ),
        ({"openapi": "3.1.0"}, "info"),
        ([], "version"),
    ],
)
def test_unusable_document_is_an_error_of_its_option(tmp_path: Path, written: Any, message: str) -> None:
    with pytest.raises(OptionErrors, match=message) as errors:
        trial(tmp_path, written)
    assert errors.value.findings[0][0] == ("document",)


def test_malformed_file_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text("openapi: 3.1.0\n  bad: [\n")
    with pytest.raises(OptionErrors, match=r"api.yaml:2:\d+: "):
        Trial(OpenApi, {"document": "api.yaml"}, folder=tmp_path)


@pytest.mark.parametrize(
    ("servers", "base_path", "path", "status"),
    [
        ([{"url": "https://x.example/v1"}], None, "/v1/a", 200),
        ([{"url": "https://x.example/v1"}], None, "/a", 404),
        ([{"url": "/{v}", "variables": {"v": {"default": "v1", "enum": ["v1", "v2"]}}}], None, "/v2/a", 200),
        ([{"url": "/v1"}], "/", "/a", 200),
        ([{"url": "/v1"}], "/api/", "/api/a", 200),
        ([], None, "/a", 200),
    ],
)
def test_operations_are_below_the_base_path(
    tmp_path: Path, servers: Any, base_path: str | None, path: str, status: int
) -> None:
    options = {} if base_path is None else {"base_path": base_path}
    made = trial(tmp_path, document(servers=servers), **options)
    assert made.run(request("POST", path, JSON), body=b"1").response.status == status


def test_words_of_yaml_1_1_are_text(tmp_path: Path) -> None:
    text = yaml.safe_dump(document({"enum": ["WORD"]})).replace("WORD", "no")
    (tmp_path / "api.yaml").write_text(text)
    made = Trial(OpenApi, {"document": "api.yaml"}, folder=tmp_path)
    for value, status in ("no", 200), (False, 400):
        outcome = made.run(request("POST", "/a", JSON), body=json.dumps(value).encode())
        assert outcome.response.status == status


def test_names_like_extensions_are_names(tmp_path: Path) -> None:
    written = document({"properties": {"x-n": {"type": "integer"}}})
    written["paths"]["x-note"] = {"get": 1}
    responses = written["paths"]["/a"]["post"]["responses"]
    responses["200"]["headers"] = {"x-total": {"required": True, "schema": {"type": "integer"}}}
    responses["x-note"] = 1
    made = trial(tmp_path, written, on="both")

    def status(body: bytes, headers: dict[str, str]) -> int:
        response = answer(headers={**JSON, **headers}, body=b"{}")
        return made.run(request("POST", "/a", JSON), response, body=body).response.status

    assert status(b'{"x-n": 1}', {"X-Total": "5"}) == 200
    assert status(b'{"x-n": "a"}', {"X-Total": "5"}) == 400
    assert status(b'{"x-n": 1}', {}) == 502
    assert status(b'{"x-n": 1}', {"X-Total": "many"}) == 502


def test_document_without_paths_has_none(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text("openapi: 3.1.0\ninfo: {title: t, version: '1'}\ncomponents: {}\n")
    made = Trial(OpenApi, {"document": "api.yaml"}, folder=tmp_path)
    assert made.run(request("GET", "/a")).response.status == 404
