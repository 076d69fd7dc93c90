"""Requests and replies of operations as HTTP and JSON, and back."""

from urllib.parse import parse_qsl, unquote

import pytest

from adc.persistence.listing import SessionRow
from adc.runtime.operations.cache import PURGE, Purge
from adc.runtime.operations.cache_why import WHY, EntryRow, Finding, Question
from adc.runtime.operations.convert import from_json, to_json
from adc.runtime.operations.members import LIST, SET, MemberRow, SetMember
from adc.runtime.operations.operation import NOTHING
from adc.runtime.operations.place import placed, read_request
from adc.runtime.operations.sessions import DROP, Page, Unwanted, Wanted
from adc.runtime.operations.sessions import LIST as SESSIONS
from tests.kit.rows import row

REQUESTS = [
    (LIST, NOTHING, "/api/v1/members", None),
    (
        SET,
        SetMember("app", "unix:/run/a", "drain"),
        "/api/v1/members/app/unix%3A%2Frun%2Fa",
        {"state": "drain"},
    ),
    (PURGE, Purge(tag="a b", soft=True), "/api/v1/cache/purge", {"tag": "a b", "soft": True}),
    (SESSIONS, Wanted("app", min_age=1.5), "/api/v1/sessions?pool=app&min_age=1.5", None),
    (DROP, Unwanted(all=True), "/api/v1/sessions?all=true", None),
    (
        WHY,
        Question("http://a/", header=("a: 1", "b: 2")),
        "/api/v1/cache/why?url=http%3A%2F%2Fa%2F&header=a%3A+1&header=b%3A+2",
        None,
    ),
]


@pytest.mark.parametrize(("operation", "request_", "path", "body"), REQUESTS)
def test_request_is_placed_in_path_query_and_body(operation, request_, path, body):
    assert placed(operation, request_) == (path, body)


@pytest.mark.parametrize(("operation", "request_", "path", "body"), REQUESTS)
def test_placed_request_is_read_back(operation, request_, path, body):
    path, _, query = path.partition("?")
    in_path = {}
    if operation is SET:
        in_path = dict(zip(("pool", "member"), map(unquote, path.split("/")[4:]), strict=True))
    assert read_request(operation, in_path, parse_qsl(query), body or {}) == request_


@pytest.mark.parametrize(
    ("operation", "query", "body", "error"),
    [
        (LIST, [("x", "1")], {}, "unknown parameter x; known: none"),
        (SESSIONS, [("pol", "app")], {}, "unknown parameter pol; known: pool, client"),
        (SESSIONS, [("limit", "many")], {}, "limit is a number"),
        (SESSIONS, [("min_age", "inf")], {}, "min_age is a number"),
        (SESSIONS, [("limit", "0")], {}, "limit is a number from 1 to 1000"),
        (DROP, [("all", "yes")], {}, "all is true or false"),
        (PURGE, [], {"url": 5}, "url is a text"),
        (PURGE, [], {"uri": "http://a/"}, "unknown field uri; known: url, prefix"),
        (PURGE, [], {"all": 1}, "all is true or false"),
        (WHY, [], {}, r"say which: \?url="),
        (WHY, [("url", "http://a/"), ("method", "a b")], {}, "method is a token"),
        (WHY, [("url", "http://a/"), ("header", "a b: c")], {}, "header is a field"),
        (SET, [], {"pool": "a", "member": "b"}, "lacks state, one of: enable, drain, disable"),
        (SET, [], {"pool": "a", "member": "b", "state": "stop"}, "state is one of: enable, drain, disable"),
    ],
)
def test_request_that_does_not_fit_is_refused(operation, query, body, error):
    with pytest.raises(ValueError, match=error):
        read_request(operation, {}, query, body)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (list[MemberRow], [row(since=1.5), row(since=None)]),
        (Page, Page([SessionRow("app", "ann", "m", 0.0, 1.0, 2.0, "n", 3, 4)], None)),
        (
            list[Finding],
            [
                Finding(0, "r", detail="no"),
                Finding(
                    1,
                    "r",
                    "s",
                    "k",
                    "hit",
                    "fresh",
                    [EntryRow(200, 1.0, 2.0, "x", False, 5, "memory", "", {"a": None}, ["t"], [0, 4], True)],
                ),
            ],
        ),
    ],
)
def test_reply_is_read_back_from_its_json(kind, value):
    assert from_json(kind, to_json(value)) == value


@pytest.mark.parametrize("value", [{"rows": [], "cursor": None, "more": 1}, {"rows": {}}, {"rows": [1]}, []])
def test_reply_of_another_shape_is_refused(value):
    with pytest.raises(ValueError, match=r"unknown field more|is a list|is an object|lacks"):
        from_json(Page, value)
