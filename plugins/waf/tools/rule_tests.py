"""Tests of SecLang rules, written in YAML as go-ftw reads them.

    tests:
      - desc: a search for SELECT is no attack
        stages:
          - input: {method: GET, uri: "/search?q=select", headers: {Host: www.example.com}}
            output: {log: {no_expect_ids: [942100]}}

They stand in `NAME.tests.yaml` beside `NAME.conf`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from adc_plugins.waf.code.examples import ExampleRequest, completed

SUFFIX = ".tests.yaml"


class BadTest(ValueError):
    """A file of tests that cannot be read; the text begins with its place."""


@dataclass(frozen=True, slots=True)
class RuleTest:
    """A request, the rules that must match it, and those that must not."""

    name: str
    place: str
    request: ExampleRequest
    expected: frozenset[int]
    unexpected: frozenset[int]


def file_beside(path: Path) -> Path | None:
    """Return the file of tests beside a file of rules, None without one."""
    file = path.with_name(path.name.removesuffix(".conf") + SUFFIX)
    return file if file.is_file() else None


def read_tests(path: Path) -> list[RuleTest]:
    """Return the tests of a file. Raises BadTest."""
    try:
        content = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError) as error:
        raise BadTest(f"{path}: {error}") from None
    if not isinstance(content, Mapping) or not isinstance(content.get("tests"), Sequence):
        raise BadTest(f"{path}: a file of tests needs a list `tests`")
    return [test for number, each in enumerate(content["tests"], 1) for test in _test(path, number, each)]


def _test(path: Path, number: int, test: Any) -> Iterator[RuleTest]:
    place = f"{path}: test {number}"
    try:
        name = str(test.get("desc") or test.get("test_id") or number)
        for stage in test["stages"]:
            given, log = stage["input"], stage.get("output", {}).get("log", {})
            expected, unexpected = (frozenset(log.get(key, ())) for key in ("expect_ids", "no_expect_ids"))
            if not expected | unexpected:
                raise BadTest(f"{place}: output.log needs expect_ids or no_expect_ids")
            yield RuleTest(name, place, _request(given), expected, unexpected)
    except BadTest:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadTest(f"{place}: {type(error).__name__}: {error}") from None


def _request(given: Mapping[str, Any]) -> ExampleRequest:
    body = (
        base64.b64decode(given["encoded_data"]) if "encoded_data" in given else _bytes(given.get("data", ""))
    )
    headers = tuple((str(name), str(value)) for name, value in given.get("headers", {}).items())
    if given.get("autocomplete_headers", True):
        headers = completed(headers, body)
    version = str(given.get("version") or "HTTP/1.1")
    return ExampleRequest(str(given.get("method", "GET")), str(given.get("uri", "/")), version, headers, body)


def _bytes(data: Any) -> bytes:
    text = "\n".join(map(str, data)) if isinstance(data, list) else str(data or "")
    return text.encode("utf-8", "surrogateescape")


def as_yaml(name: str, request: ExampleRequest, *, unexpected: int) -> str:
    """Return a test as text that can be appended to a file of tests."""
    given: dict[str, Any] = {
        "method": request.method,
        "uri": request.target,
        "headers": dict(request.headers),
    }
    if request.body:
        given["encoded_data"] = base64.b64encode(request.body).decode()
    return (
        f"  - desc: {json.dumps(name)}\n"
        "    stages:\n"
        f"      - input: {json.dumps(given)}\n"
        f"        output: {{log: {{no_expect_ids: [{unexpected}]}}}}\n"
    )
