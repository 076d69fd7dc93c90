"""Limits on requests."""

from __future__ import annotations

from typing import Any

import pytest
from adc_plugins.request_limits import RequestLimits

from adc.plugin import UNKNOWN_LENGTH, OptionErrors
from adc.plugin.testkit import Outcome, Trial, request


def run(options: dict[str, Any], body: Any = b"", **head: Any) -> Outcome:
    return Trial(RequestLimits, options).run(request(**head), body=body)


JSON = {"Content-Type": "application/json; charset=utf-8"}


@pytest.mark.parametrize(
    ("options", "head", "status"),
    [
        ({"methods": ["GET", "POST"]}, {"method": "POST"}, 200),
        ({"methods": "GET"}, {"method": "HEAD"}, 200),
        ({"methods": "GET"}, {"method": "PUT"}, 405),
        ({"methods": "GET"}, {"method": "get"}, 405),
        ({"content_types": "application/json"}, {"headers": JSON, "body_length": 2}, 200),
        ({"content_types": "text/html"}, {"headers": JSON, "body_length": 2}, 415),
        ({"content_types": "text/html"}, {"body_length": 2}, 415),
        ({"content_types": "text/html"}, {"body_length": UNKNOWN_LENGTH}, 415),
        ({"content_types": "text/html"}, {"headers": JSON, "body_length": 0}, 200),
        ({"body": "10B"}, {"body_length": 10}, 200),
        ({"body": "10B"}, {"body_length": 11}, 413),
        ({"body": 0}, {"body_length": 1}, 413),
        ({"target": "10B"}, {"target": "/345678?1b"}, 200),
        ({"target": "10B"}, {"target": "/345678?1bc"}, 414),
        ({"query": "3B"}, {"target": "/a?123"}, 200),
        ({"query": "3B"}, {"target": "/a?1234"}, 414),
        ({"parameters": 2}, {"target": "/a?b=1&c"}, 200),
        ({"parameters": 2}, {"target": "/a?b=1&c&d"}, 400),
        ({"parameters": 0}, {"target": "/a"}, 200),
        ({"parameters": 0}, {"target": "/a?b"}, 400),
        ({"parameter_bytes": "4B"}, {"target": "/a?b=12&c=34"}, 200),
        ({"parameter_bytes": "4B"}, {"target": "/a?b=12&c=345"}, 400),
        ({"headers": 2}, {"headers": {"A": "1"}}, 200),
        ({"headers": 2}, {"headers": {"A": "1", "B": "2"}}, 431),
        ({"header_bytes": "29B"}, {"headers": {"A": "1"}}, 200),
        ({"header_bytes": "28B"}, {"headers": {"A": "1"}}, 431),
        ({"field_bytes": "23B"}, {"headers": {"A": "1"}}, 200),
        ({"field_bytes": "22B"}, {"headers": {"A": "1"}}, 431),
    ],
)
def test_request_over_a_limit_is_refused(options: Any, head: Any, status: int) -> None:
    assert run(options, **head).response.status == status


@pytest.mark.parametrize("second", ["application/json", "text/html"])
def test_content_of_two_types_is_refused(second: str) -> None:
    fields = [("Content-Type", "text/html"), ("Content-Type", second)]
    outcome = run({"content_types": second}, headers=fields, body_length=2)
    assert outcome.response.status == 415


def test_allowed_methods_are_told() -> None:
    outcome = run({"methods": ["GET", "POST"]}, method="PUT")
    assert outcome.response.headers.get(b"allow") == b"GET, POST, HEAD"


@pytest.mark.parametrize(("chunks", "status"), [([b"12345", b"12345"], 200), ([b"12345", b"123456"], 413)])
def test_content_of_unknown_length_is_counted(chunks: Any, status: int) -> None:
    outcome = run({"body": "10B"}, chunks, method="POST", body_length=UNKNOWN_LENGTH)
    assert outcome.response.status == status


async def test_dry_run_counts_and_logs_by_limit() -> None:
    async with Trial(RequestLimits, {"methods": "GET", "body": "1B", "dry_run": True}) as trial:
        outcome = await trial.exchange(request(method="PUT"))
        assert outcome.response.status == 200
        assert outcome.messages[0]["limit"] == "methods"
        outcome = await trial.exchange(request(), body=[b"ab", b"c"])
        assert (outcome.response.status, outcome.request_body) == (200, b"abc")
        assert trial.keyed_counters == {"refused": {"methods": 1, "body": 1}}


@pytest.mark.parametrize(
    "options", [{"methods": ["G T"]}, {"headers": -1}, {"body": "10X"}, {"content_types": ["json"]}]
)
def test_wrong_options_are_errors(options: Any) -> None:
    with pytest.raises(OptionErrors):
        Trial(RequestLimits, options)
