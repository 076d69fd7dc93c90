"""The plugin: operations, parameters, bodies, and what becomes of invalid messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from adc_plugins.documents.openapi.plugin import OpenApi

from adc.plugin.testkit import Outcome, Trial, answer, request

CONFIG = Path(__file__).parents[5] / "config"
ORDER = {"customer": "x", "items": [{"sku": "a", "count": 1}]}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def shop() -> Trial:
    return Trial(OpenApi, {"document": "schemas/shop.yaml"}, folder=CONFIG)


def shop_with(**options: Any) -> Trial:
    return Trial(OpenApi, {"document": "schemas/shop.yaml", **options}, folder=CONFIG)


def post(trial: Trial, value: Any, fields: dict[str, str] | None = None, **more: Any) -> Outcome:
    head = request("POST", "/api/orders", JSON if fields is None else fields)
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return trial.run(head, body=body, **more)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/orders", 200),
        ("/api/orders?limit=5&state=open,sent", 200),
        ("/api/orders?limit=0", 400),
        ("/api/orders?limit=x", 400),
        ("/api/orders?limit=5&limit=500", 400),
        ("/api/orders?state=open,lost", 400),
        ("/api/orders?other=1", 200),
        ("/api/orders/7", 200),
        ("/api/orders/0", 400),
        ("/api/orders/x", 400),
        ("/api/other", 404),
        ("/other", 404),
        ("/apiorders", 404),
    ],
)
def test_path_and_query_follow_the_document(shop: Trial, target: str, status: int) -> None:
    assert shop.run(request("GET", target)).response.status == status


def test_method_that_the_path_does_not_have_gets_405(shop: Trial) -> None:
    outcome = shop.run(request("DELETE", "/api/orders"))
    assert outcome.response.status == 405
    assert outcome.response.headers.get(b"allow") == b"GET, POST"


def test_head_is_the_operation_of_get(shop: Trial) -> None:
    assert shop.run(request("HEAD", "/api/orders?limit=1")).response.status == 200
    assert shop.run(request("HEAD", "/api/orders?limit=0")).response.status == 400


def test_unknown_paths_and_methods_may_pass() -> None:
    trial = shop_with(unknown_path="pass", unknown_method="pass")
    assert trial.run(request("GET", "/other")).response.status == 200
    assert trial.run(request("DELETE", "/api/orders")).response.status == 200


def test_unknown_query_parameters_may_be_refused() -> None:
    trial = shop_with(unknown_query="reject")
    assert trial.run(request("GET", "/api/orders?limit=1")).response.status == 200
    assert trial.run(request("GET", "/api/orders?limit=1&x=1")).response.status == 400


def test_valid_body_reaches_the_member_unchanged(shop: Trial) -> None:
    assert post(shop, ORDER).request_body == json.dumps(ORDER).encode()


@pytest.mark.parametrize(
    ("body", "fields", "status"),
    [
        (b'{"customer": 1}', JSON, 400),
        (b"{", JSON, 400),
        (b'{"customer": "x", "customer": "y"}', JSON, 400),
        (b"", JSON, 400),
        (b"x", {"Content-Type": "text/plain"}, 415),
        (b"x", {}, 415),
        (b"[" * 3000, JSON, 400),
        (b'"' + b"x" * (2 << 20) + b'"', JSON, 413),
    ],
)
def test_body_follows_the_document(shop: Trial, body: bytes, fields: dict[str, str], status: int) -> None:
    assert post(shop, body, fields).response.status == status


def test_problem_names_the_place_of_each_error(shop: Trial) -> None:
    problem = json.loads(post(shop, b'{"customer": "x",\n "items": []}').body)
    assert problem["title"] == "Invalid request"
    [error] = problem["errors"]
    assert (error["in"], error["pointer"], error["line"], error["column"]) == ("body", "/items", 2, 11)
    problem = json.loads(shop.run(request("GET", "/api/orders?limit=x&state=y")).body)
    assert [(error["in"], error["name"]) for error in problem["errors"]] == [
        ("query", "limit"),
        ("query", "state"),
    ]


def test_report_tells_the_member_and_the_log() -> None:
    outcome = post(shop_with(on_invalid="report"), {}, {**JSON, "X-Validation": "forged"})
    assert outcome.request_body == b"{}"
    [value] = outcome.request.headers.get_all(b"x-validation")
    assert value.startswith(b"invalid; part=openapi; line=1; column=1")
    assert outcome.messages[0]["reason"] == "'customer' is a required property"


def answered(status: int, headers: dict[str, str], body: bytes, target: str = "/api/orders/7") -> Outcome:
    return shop_with(on="response").run(request("GET", target), answer(status, headers, body))


@pytest.mark.parametrize(
    ("status", "headers", "body", "received"),
    [
        (200, JSON, json.dumps({**ORDER, "id": 7}).encode(), 200),
        (200, JSON, json.dumps(ORDER).encode(), 502),
        (200, {"Content-Type": "text/html"}, b"<p>", 502),
        (404, {"Content-Type": "application/problem+json"}, b'{"title": "no"}', 404),
        (404, {"Content-Type": "application/problem+json"}, b"{}", 502),
        (500, {}, b"", 502),
        (304, {}, b"", 304),
    ],
)
def test_response_follows_the_document(
    status: int, headers: dict[str, str], body: bytes, received: int
) -> None:
    assert answered(status, headers, body).response.status == received


def test_required_header_of_a_response_is_checked() -> None:
    trial = shop_with(on="both")
    for headers, status in (({"Location": "/api/orders/1"}, 201), ({}, 502)):
        assert post(trial, ORDER, response=answer(201, headers)).response.status == status


PARAMETERS = """
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /a/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string, maxLength: 5}}
    get:
      parameters:
        - {name: X-Trace, in: header, required: true, schema: {type: integer}}
        - {name: theme, in: cookie, schema: {enum: [dark, light]}}
        - {name: filter, in: query, style: deepObject, explode: true,
           schema: {type: object, additionalProperties: false, properties: {n: {type: integer}}}}
        - {name: q, in: query, content: {application/json: {schema: {type: object, required: [k]}}}}
        - {name: Accept, in: header, required: true, schema: {const: never}}
      responses: {"200": {description: ok}}
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [n]
              properties: {n: {type: integer}, l: {type: array, items: {type: integer}}}
          text/*: {schema: {type: string, maxLength: 3}}
          application/octet-stream: {}
      responses: {"200": {description: ok}}
"""


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("openapi")
    (folder / "api.yaml").write_text(PARAMETERS)
    assert yaml.safe_load(PARAMETERS)
    return Trial(OpenApi, {"document": "api.yaml"}, folder=folder)


@pytest.mark.parametrize(
    ("target", "fields", "status"),
    [
        ("/a/x", {"X-Trace": "1"}, 200),
        ("/a/x", {}, 400),
        ("/a/x", {"X-Trace": "one"}, 400),
        ("/a/abcdef", {"X-Trace": "1"}, 400),
        ("/a/%EA%B0%80", {"X-Trace": "1"}, 200),
        ("/a/x", {"X-Trace": "1", "Cookie": "b=1; theme=dark"}, 200),
        ("/a/x", {"X-Trace": "1", "Cookie": "theme=red"}, 400),
        ("/a/x?filter[n]=1", {"X-Trace": "1"}, 200),
        ("/a/x?filter[n]=x", {"X-Trace": "1"}, 400),
        ("/a/x?filter[m]=1", {"X-Trace": "1"}, 400),
        ("/a/x?filter[n]=1&filter[n]=2", {"X-Trace": "1"}, 400),
        ("/a/x?q=%7B%22k%22%3A1%7D", {"X-Trace": "1"}, 200),
        ("/a/x?q=%7B%7D", {"X-Trace": "1"}, 400),
        ("/a/x?q=%7B", {"X-Trace": "1"}, 400),
        ("/a/x?q=" + "[" * 5000, {"X-Trace": "1"}, 400),
    ],
)
def test_parameters_are_read_by_their_style(
    parameters: Trial, target: str, fields: dict[str, str], status: int
) -> None:
    assert parameters.run(request("GET", target, fields)).response.status == status


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"n=1&l=1&l=2", 200),
        ("application/x-www-form-urlencoded", b"n=x", 400),
        ("application/x-www-form-urlencoded", b"l=1", 400),
        ("application/x-www-form-urlencoded", b"n=1&n=2", 400),
        ("application/x-www-form-urlencoded", b"&".join([b"l=1"] * 5000), 400),
        ("text/plain", b"abc", 200),
        ("text/plain", b"abcd", 400),
        ("text/plain; charset=euc-kr", "한글말".encode("euc-kr"), 200),
        ("text/plain; charset=nope", b"abc", 400),
        ("text/csv", b"abcd", 200),
        ("application/octet-stream", b"\0" * (2 << 20), 200),
        ("image/png", b"x", 415),
    ],
)
def test_content_is_checked_by_its_type(
    parameters: Trial, content_type: str, body: bytes, status: int
) -> None:
    head = request("POST", "/a/x", {"Content-Type": content_type})
    assert parameters.run(head, body=body).response.status == status


def test_repeated_content_type_is_refused(shop: Trial, parameters: Trial) -> None:
    fields = [("Content-Type", "text/csv"), ("Content-Type", "application/json")]
    assert parameters.run(request("POST", "/a/x", fields), body=b"x").response.status == 415
    assert shop.run(request("POST", "/api/orders", fields), body=b"x").response.status == 415
