import json

import pytest
from adc_plugins.waf.bodies.json_document import parse_json
from adc_plugins.waf.bodies.parsed import Limits
from hypothesis import given
from hypothesis import strategies as st


def parse(content, **limits):
    return parse_json(content, b"application/json", Limits(**limits))


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        (
            b'{"a":{"b":1,"c":[1,"x",{"d":null},[true]]},"a":2}',
            [
                (b"json.a.b", b"1"),
                (b"json.a.c.array_0", b"1"),
                (b"json.a.c.array_1", b"x"),
                (b"json.a.c.array_2.d", b""),
                (b"json.a.c.array_3.array_0", b"true"),
                (b"json.a", b"2"),
            ],
        ),
        (b' "x" ', [(b"json", b"x")]),
        (b"[false]", [(b"json.array_0", b"false")]),
        (b"{}", []),
        (b'{"":1}', [(b"json.empty-key", b"1")]),
        (b'{"a":1e400,"b":-0.0}', [(b"json.a", b"1e400"), (b"json.b", b"-0.0")]),
        (b"9" * 5000, [(b"json", b"9" * 5000)]),
        (b'"\\u003cscript\\u003e\\n"', [(b"json", b"<script>\n")]),
        (b'["\\ud800"]', [(b"json.array_0", b"\xed\xa0\x80")]),
        ('{"이름":"값"}'.encode(), [("json.이름".encode(), "값".encode())]),
    ],
)
def test_each_value_is_an_argument_named_by_its_path(content, arguments):
    body = parse(content)
    assert body.arguments == arguments
    assert not body.error


@pytest.mark.parametrize(
    ("content", "visible"),
    [
        (b'{"a":"attack"}x', b"attack"),
        (b'{"a":"attack"}{"b":1}', b"attack"),
        (b'{"a":"attack",}', b"attack"),
        (b'{"a":"attack"', b"attack"),
        (b'{"a":"attack', b"attack"),
        (b"{\"a\":'attack'}", b"a"),
        (b'/**/{"a":"attack"}', b"attack"),
        (b'{"a":NaN,"b":"attack"}', b"attack"),
        (b'\xef\xbb\xbf{"a":"attack"}', b"attack"),
        ('{"a":"attack"}'.encode("utf-16"), b"attack"),
        (b'{"a":"attack\x01"}', b"attack\x01"),
        (b'{"a":"attack\xff"}', b"attack\xff"),
        (b'{"a":"\\u0061ttack"', b"attack"),
        (b'{"a":"attack\\', b"attack"),
    ],
)
def test_document_that_readers_understand_differently_is_an_error_and_its_strings_are_visible(
    content, visible
):
    body = parse(content)
    assert body.error or body.unfinished
    assert visible in [value for _, value in body.arguments]


@pytest.mark.parametrize("content", [b"[[[[1]]]]", b'{"a":{"b":{"c":{}}}}'])
def test_depth_limit_is_an_error(content):
    assert "3 deep" in parse(content, json_depth=3).error
    assert not parse(content, json_depth=4).error


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_endless_nesting_is_an_error(opening):
    assert "too deep" in parse(opening * 100_000, json_depth=1_000_000).error


def test_values_beyond_the_limit_remain_visible():
    body = parse(b'["a","b","c","attack"]', arguments=2)
    assert "more than 2" in body.error
    assert (b"json", b"attack") in body.arguments


def test_names_below_a_long_key_are_cut():
    body = parse(b'{"' + b"k" * 5000 + b'":[1,2]}')
    assert [len(name) for name, _ in body.arguments] == [5005, 1032, 1032]
    assert not body.error


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


@given(VALUES, st.booleans())
def test_all_leaves_of_any_document_are_arguments(value, ascii_only):
    body = parse(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))
    expected = [
        leaf if isinstance(leaf, str) else "" if leaf is None else json.dumps(leaf) for leaf in leaves(value)
    ]
    assert [content for _, content in body.arguments] == [
        text.encode("utf-8", "surrogatepass") for text in expected
    ]
    assert not body.error
