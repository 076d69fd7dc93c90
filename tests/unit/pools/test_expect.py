"""Which answers to a health check pass."""

from __future__ import annotations

import pytest

from adc.http.headers import Headers
from adc.pools.expect import BODY_LIMIT, Expectation, parse_statuses

NONE = Headers()


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("200", [200], [199, 201]),
        ("200-299", [200, 299], [199, 300]),
        ("200,204", [200, 204], [202]),
        ("200-204, 301", [203, 301], [302]),
    ],
)
def test_statuses_are_ranges_and_lists(text: str, inside: list[int], outside: list[int]):
    expectation = Expectation(text)
    assert all(expectation.failure(status, NONE) is None for status in inside)
    assert all(expectation.failure(status, NONE) for status in outside)


@pytest.mark.parametrize(
    "text", ["", "ok", "20", "2000", "600", "200-", "-200", "299-200", "200,,204", "２００"]
)
def test_text_without_statuses_is_an_error(text: str):
    with pytest.raises(ValueError, match=r"status codes"):
        parse_statuses(text)


def test_a_refusal_says_what_came_and_what_was_expected():
    assert Expectation("200-299").failure(503, NONE) == "status 503, expected 200-299"


@pytest.mark.parametrize(
    ("wanted", "lines", "passes"),
    [
        ({"x-ready": "yes"}, [(b"X-Ready", b"yes")], True),
        ({"x-ready": "yes"}, [(b"X-Ready", b"no"), (b"x-ready", b"yes")], True),
        ({"x-ready": "yes"}, [(b"X-Ready", b"no")], False),
        ({"x-ready": "yes"}, [], False),
        ({"x-ready": None}, [(b"X-Ready", b"whatever")], True),
        ({"x-ready": None}, [], False),
    ],
)
def test_header_fields_must_be_there_and_have_their_value(wanted, lines, passes: bool):
    assert (Expectation(headers=wanted).failure(200, Headers(lines)) is None) is passes


@pytest.mark.parametrize(
    ("expectation", "body", "passes"),
    [
        (Expectation(body="ready"), b"all ready now", True),
        (Expectation(body="ready"), b"starting", False),
        (Expectation(body="준비"), "준비됨".encode(), True),
        (Expectation(body_regex="^(ok|fine)$"), b"fine", True),
        (Expectation(body_regex="^(ok|fine)$"), b"not fine", False),
        (Expectation(body="end"), b"x" * BODY_LIMIT + b"end", False),
    ],
)
def test_the_start_of_the_body_is_searched(expectation: Expectation, body: bytes, passes: bool):
    assert expectation.reads_body
    assert (expectation.failure(200, NONE, body) is None) is passes


def test_a_broken_expression_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"body_regex '\(ok'"):
        Expectation(body_regex="(ok")


def test_without_a_wanted_body_none_need_be_read():
    assert not Expectation().reads_body
