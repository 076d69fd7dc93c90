from urllib.parse import urlencode

import pytest
from adc_plugins.waf.bodies.parsed import Limits
from adc_plugins.waf.bodies.urlencoded import parse_urlencoded
from hypothesis import given
from hypothesis import strategies as st


def parse(content, **limits):
    return parse_urlencoded(content, b"", Limits(**limits))


@pytest.mark.parametrize(
    ("content", "arguments", "error"),
    [
        (b"", [], False),
        (b"a", [(b"a", b"")], False),
        (b"a=1&b=2&", [(b"a", b"1"), (b"b", b"2")], False),
        (b"a=1&&b", [(b"a", b"1"), (b"", b""), (b"b", b"")], False),
        (b"=x&a==b", [(b"", b"x"), (b"a", b"=b")], False),
        (b"a+b=%41%2b+%00", [(b"a b", b"A+ \0")], False),
        (b"a=%zz&b=%4&%=1", [(b"a", b"%zz"), (b"b", b"%4"), (b"%", b"1")], True),
        (b"a=%u0041", [(b"a", b"%u0041")], True),
        (b"a=%2541", [(b"a", b"%41")], False),
        (b"a=1;b=2", [(b"a", b"1;b=2")], False),
    ],
)
def test_arguments_are_decoded_once_and_invalid_escapes_kept(content, arguments, error):
    body = parse(content)
    assert body.arguments == arguments
    assert body.urlencoded_error == error


def test_separator_follows_the_setting():
    assert parse(b"a=1;b=2&c", argument_separator=b";").arguments == [(b"a", b"1"), (b"b", b"2&c")]


@given(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8)), max_size=6))
def test_encoded_pairs_are_parsed_back(pairs):
    body = parse(urlencode(pairs).encode())
    assert body.arguments == pairs
    assert not body.urlencoded_error
