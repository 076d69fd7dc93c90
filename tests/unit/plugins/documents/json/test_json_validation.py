"""The plugin: which messages it checks, and what becomes of invalid ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from adc_plugins.documents.json.plugin import JsonValidation

from adc.plugin.testkit import OptionErrors, Outcome, Trial, answer, request

CONFIG = Path(__file__).parents[5] / "config"
GOOD = b'{"customer": "x", "items": [{"sku": "a", "count": 1}]}'
BAD = b'{"customer": "x",\n "items": [{"sku": "a", "count": 0}, {"sku": "!"}]}'
JSON = {"Content-Type": "application/json"}


def sent(body: bytes, fields: dict[str, str] | None = None, **options: Any) -> Outcome:
    head = request("POST", "/orders", JSON if fields is None else fields)
    return Trial(JsonValidation, {"schema": "schemas/order.json", **options}, folder=CONFIG).run(
        head, body=body
    )


def test_valid_document_reaches_the_member_unchanged() -> None:
    assert sent(GOOD).request_body == GOOD


ORDER = {"schema": "schemas/order.json"}


@pytest.mark.parametrize(
    ("options", "method", "fields", "status"),
    [
        (ORDER, "POST", JSON, 400),
        (ORDER, "PATCH", {"Content-Type": "application/merge-patch+json"}, 400),
        ({}, "POST", JSON, 200),
        (ORDER, "GET", JSON, 200),
        (ORDER, "DELETE", JSON, 200),
        (ORDER, "POST", {"Content-Type": "application/x-ndjson"}, 200),
        (ORDER, "POST", {}, 200),
        (ORDER, "POST", {"Content-Type": "text/plain"}, 200),
        ({**ORDER, "on": "response"}, "POST", JSON, 200),
        ({**ORDER, "on_invalid": "report"}, "POST", JSON, 200),
    ],
)
def test_request_without_content_is_invalid_where_a_schema_needs_a_document(
    options: dict[str, Any], method: str, fields: dict[str, str], status: int
) -> None:
    outcome = Trial(JsonValidation, options, folder=CONFIG).run(request(method, "/orders", fields), body=b"")
    assert outcome.response.status == status
    assert (b"content is required" in outcome.body) is (status == 400)
    reported = options.get("on_invalid") == "report"
    assert (b"x-validation" in outcome.request.headers) is reported


def test_problem_has_a_pointer_and_a_place_of_each_error() -> None:
    outcome = sent(BAD)
    assert (outcome.response.status, outcome.request_body) == (400, None)
    assert outcome.response.headers.get(b"content-type") == b"application/problem+json"
    problem = json.loads(outcome.body)
    assert (problem["title"], problem["line"], problem["column"]) == ("Invalid JSON", 2, 34)
    assert [error["pointer"] for error in problem["errors"]] == ["/items/0/count", "/items/1", "/items/1/sku"]
    assert [error["line"] for error in problem["errors"]] == [2, 2, 2]


def test_malformed_document_gets_400_with_its_place() -> None:
    problem = json.loads(sent(b'{"a": 1,\n}').body)
    assert (problem["status"], problem["line"], problem["column"]) == (400, 2, 1)


def test_values_of_the_client_stay_out_of_the_problem() -> None:
    body = b'{"customer": "' + b"secret" * 50 + b'", "items": []}'
    assert b"secret" not in sent(body).body


def test_report_tells_the_member_and_the_log() -> None:
    outcome = sent(BAD, {**JSON, "X-Validation": "forged"}, on_invalid="report")
    assert outcome.request_body == BAD
    [value] = outcome.request.headers.get_all(b"x-validation")
    assert value.startswith(b"invalid; part=json; line=2; column=34")
    assert outcome.messages


@pytest.mark.parametrize(
    ("other", "content_type", "body", "status"),
    [
        ("sniff", "application/vnd.api+json", BAD, 400),
        ("sniff", "text/plain", BAD, 400),
        ("sniff", "text/plain", b"plain", 200),
        ("sniff", "", BAD, 400),
        ("pass", "text/plain", BAD, 200),
        ("reject", "text/plain", b"plain", 415),
        ("sniff", "application/json; charset=utf-16", GOOD, 415),
        ("sniff", "application/json; charset=UTF-8", GOOD, 200),
    ],
)
def test_content_type_decides_what_is_checked(
    other: str, content_type: str, body: bytes, status: int
) -> None:
    fields = {"Content-Type": content_type} if content_type else {}
    assert sent(body, fields, other_types=other).response.status == status


def test_coded_content_is_checked_decoded() -> None:
    fields = {**JSON, "Content-Encoding": "gzip"}
    assert sent(gzip.compress(GOOD), fields).response.status == 200
    assert sent(gzip.compress(BAD), fields).response.status == 400
    assert sent(gzip.compress(b"[" + b" " * 3_000_000), fields).response.status == 413


def test_each_line_of_ndjson_is_a_document() -> None:
    fields = {"Content-Type": "application/x-ndjson"}
    good = GOOD.replace(b"\n", b" ")
    assert sent(good + b"\n\n" + good + b"\r\n", fields).response.status == 200
    problem = json.loads(sent(good + b"\n" + good.replace(b"1", b"0") + b"\n", fields).body)
    assert (problem["line"], problem["errors"][0]["pointer"]) == (2, "/items/0/count")
    assert sent(good + b"\n" + good, fields, ndjson=False, other_types="pass").response.status == 200


def test_invalid_response_becomes_502() -> None:
    trial = Trial(JsonValidation, {"schema": "schemas/order.json", "on": "response"}, folder=CONFIG)
    for body, status in ((GOOD, 200), (BAD, 502)):
        assert trial.run(response=answer(headers=JSON, body=body)).response.status == status


def test_format_is_checked_where_the_options_say_so(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("type: string\nformat: date\n")
    for formats, status in ((False, 200), (True, 400)):
        trial = Trial(JsonValidation, {"schema": "s.yaml", "formats": formats}, folder=tmp_path)
        assert trial.run(request("POST", headers=JSON), body=b'"today"').response.status == status


def test_pattern_that_explodes_ends_in_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"pattern": "^(a+)+$(?!b)"}')
    trial = Trial(JsonValidation, {"schema": "s.json"}, folder=tmp_path)
    assert trial.run(request("POST", headers=JSON), body=b'"%b!"' % (b"a" * 50)).response.status == 400


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "s.json cannot be read: No such file"),
        ('{"a":\n', r"s.json:2:1: "),
        ("1", "neither an object nor a boolean"),
        ('{"properties": {"a": {"type": "nope"}}}', "s.json: /properties/a/type: "),
        ('{"$ref": "http://127.0.0.1:9/x"}', "only local files"),
        ('{"$ref": "missing.json"}', "missing.json"),
        ('{"$ref": "#/nowhere"}', "nowhere"),
        ('{"pattern": "("}', "pattern"),
    ],
)
def test_unusable_schema_is_an_error_of_its_option(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "s.json").write_text(text)
    with pytest.raises(OptionErrors, match=message) as errors:
        Trial(JsonValidation, {"schema": "s.json"}, folder=tmp_path)
    assert errors.value.findings[0][0] == ("schema",)


def test_repeated_content_type_is_refused() -> None:
    head = request("POST", headers=[("Content-Type", "text/plain"), ("Content-Type", "application/json")])
    assert Trial(JsonValidation, {"other_types": "pass"}).run(head, body=b"{}").response.status == 415


@pytest.mark.parametrize(
    ("body", "pointer", "place"),
    [
        (b'{"a": 1,\n "\\u0061": 2}', "/a", (2, 2)),
        (b'[{"a": 1}, {"b": [{"c": 1, "c": 2}]}, {"a": 1, "a": 2}]', "/1/b/0/c", (1, 28)),
    ],
)
def test_repeated_name_has_a_pointer_and_a_place(body: bytes, pointer: str, place: tuple[int, int]) -> None:
    [error] = json.loads(sent(body).body)["errors"]
    assert (error["pointer"], error["line"], error["column"]) == (pointer, *place)


def test_reference_below_the_id_of_the_schema_is_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(
        '{"$id": "https://x.example/schemas/s.json", "items": {"$ref": "sub/n.json"}}'
    )
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "n.json").write_text(
        '{"$id": "https://x.example/schemas/sub/n.json", "$ref": "m.json"}'
    )
    (tmp_path / "sub" / "m.json").write_text('{"type": "integer"}')
    trial = Trial(JsonValidation, {"schema": "s.json"}, folder=tmp_path)
    for body, status in ((b"[1]", 200), (b'["x"]', 400)):
        assert trial.run(request("POST", headers=JSON), body=body).response.status == status
