"""RFC 9651: dictionaries."""

import pytest

from adc.http.structured import StructuredFieldError, Token, parse_dictionary


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (b"", {}),
        (b"  ", {}),
        (b"max-age=60", {"max-age": 60}),
        (b"a, b=?0,\tc=?1", {"a": True, "b": False, "c": True}),
        (b'a="x, \\"y\\"", b=tok/en:1', {"a": 'x, "y"', "b": Token("tok/en:1")}),
        (b"a=1.5, b=-7", {"a": 1.5, "b": -7}),
        (b"a;p=1;q, b=2;r", {"a": True, "b": 2}),
        (b'a=(1 "x";y tok), b=()', {"a": [1, "x", Token("tok")], "b": []}),
        (b"a=1, a=2", {"a": 2}),
        (b"a=:aGk=:, b=@17", {"a": Token(":aGk=:"), "b": Token("@17")}),
    ],
)
def test_members(text: bytes, members: dict[str, object]) -> None:
    assert parse_dictionary([text]) == members


@pytest.mark.parametrize(
    "text",
    [
        b"a,",
        b"a,,b",
        b",a",
        b"A=1",
        b"max-age =60",
        b"max-age= 60",
        b"a='1'",
        b'a="x',
        b'a="\\n"',
        b"a=1.",
        b"a=1234567890123456",
        b"a=(1 2",
        b"a=(1,2)",
        b"a b",
        b"a=?2",
        b"a=\xff",
        b"a=1x",
    ],
)
def test_malformed_field_is_rejected_as_a_whole(text: bytes) -> None:
    with pytest.raises(StructuredFieldError):
        parse_dictionary([text])


def test_lines_are_one_dictionary() -> None:
    assert parse_dictionary([b"a=1", b"b=2"]) == {"a": 1, "b": 2}
