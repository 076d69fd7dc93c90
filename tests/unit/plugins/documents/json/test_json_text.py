"""Strict parsing within limits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from adc_plugins.documents.json.limits import JsonLimits
from adc_plugins.documents.json.refused import JsonRefused
from adc_plugins.documents.json.text import parse
from hypothesis import given
from hypothesis import strategies as st

LIMITS = JsonLimits()
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)


def refusal(content: bytes, **limits: Any) -> JsonRefused | None:
    try:
        parse(content, replace(LIMITS, **limits))
    except JsonRefused as refused:
        return refused
    return None


@given(VALUES, st.booleans())
def test_values_are_read_as_they_were_written(value: Any, plain: bool) -> None:
    text = json.dumps(value, ensure_ascii=plain)
    try:
        content = text.encode()
    except UnicodeEncodeError:
        return
    if "\\ud" not in text:
        assert parse(content, LIMITS) == value


@given(st.binary(max_size=60) | st.text('[]{}",:\\u0aed1.-+ntf \n', max_size=60).map(str.encode))
def test_nothing_but_a_refusal_is_raised(content: bytes) -> None:
    assert refusal(content) is None or refusal(content)


@pytest.mark.parametrize(
    ("limit", "most", "within", "beyond"),
    [
        ("size", 4, b"1234", b"12345"),
        ("depth", 2, b'[{"a":1},[]]', b"[[[]]]"),
        ("depth", 1, b'["[[[["]', b'[{"a":1}]'),
        ("values", 3, b"[1,2,3]", b"[1,2,3,4]"),
        ("keys", 2, b'{"a":1,"b":2}', b'{"a":1,"b":2,"c":3}'),
        ("key_length", 2, '{"한글":1}'.encode(), b'{"abc":1}'),
        ("string_length", 3, b'["abc"]', b'["\\u0041"]'),
        ("number_length", 3, b"[1.5,-12]", b"[12345]"),
    ],
)
def test_limit_is_the_largest_allowed_value(limit: str, most: int, within: bytes, beyond: bytes) -> None:
    assert refusal(within, **{limit: most}) is None
    refused = refusal(beyond, **{limit: most})
    assert refused is not None
    assert str(most) in refused.reason


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"{'a':1}",
        b"[1,]",
        b'{"a":1,}',
        b"[1] x",
        b"// x\n1",
        b"01",
        b"+1",
        b".5",
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"1e400",
        b"1" * 5000,
        b'"\n"',
        b'"\\x"',
        b'"\xff"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud800":1}',
        b'"abc',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        "{}".encode("utf-16-be"),
        "{}".encode("utf-32"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'[{"":' * 50_000,
        b'"' * 100_001,
        b'"\\' * 100_000,
        b'["a"' * 100_000,
    ],
)
def test_malformed_document_is_refused(content: bytes) -> None:
    assert refusal(content) is not None


@pytest.mark.parametrize(
    "content", [b'"\\ud83d\\ude00"', b'"\\\\ud800"', b"1", b"null", b'""', b" [ ] ", b"-0.0e-5"]
)
def test_unusual_document_passes(content: bytes) -> None:
    assert refusal(content) is None


def test_repeated_name_is_refused_or_the_last_counts() -> None:
    content = b'{"a":1,"\\u0061":2}'
    refused = refusal(content)
    assert refused is not None
    assert refused.reason == "a name is repeated in an object"
    assert parse(content, replace(LIMITS, duplicate_keys=True)) == {"a": 2}


def test_refusal_has_line_and_column() -> None:
    refused = refusal(b'{"a": 1,\n "b": }')
    assert refused is not None
    assert (refused.line, refused.column) == (2, 7)
    refused = refusal(b'{"a": 1,\n "\xff": 1}')
    assert refused is not None
    assert (refused.line, refused.column) == (2, 3)
