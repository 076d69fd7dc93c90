"""RFC 9111 section 4.1: request values that mean the same select the same response."""

import pytest

from adc.cache.vary import normal_value, vary_names
from tests.unit.cache.messages import lines


def same(name: bytes, one: list[bytes], other: list[bytes]) -> bool:
    return normal_value(name, one) == normal_value(name, other)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        (b"foo", [b"a, b"], [b"a,b"]),
        (b"foo", [b"a", b"b"], [b"a, b"]),
        (b"foo", [b"  a  "], [b"a"]),
        (b"foo", [b"a  b"], [b"a b"]),
        (b"foo", [b"a,,b"], [b"a , b"]),
        (b"accept-language", [b"en-GB, de;q=0.5"], [b"EN-gb,de ; q=0.5"]),
        (b"accept-language", [b"de;q=0.5, en"], [b"en, de;q=0.50"]),
        (b"accept-language", [b"en;q=1.000"], [b"en"]),
        (b"accept-encoding", [b"gzip, br"], [b"BR, gzip;q=1"]),
        (b"accept", [b"text/html; q=0.9, a/b"], [b"a/b,text/html;q=0.9"]),
    ],
)
def test_equal_values(name: bytes, one: list[bytes], other: list[bytes]) -> None:
    assert same(name, one, other)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        (b"foo", [b"a"], [b"A"]),
        (b"foo", [b"a, b"], [b"b, a"]),
        (b"foo", [b""], []),
        (b"foo", [b'"a, b"'], [b'"a,b"']),
        (b"foo", [b"a b"], [b"ab"]),
        (b"foo", [b"1"], [b"1", b"1"]),
        (b"accept-language", [b"en, de"], [b"de, en"]),
        (b"accept-language", [b"en;q=0.5"], [b"en"]),
        (b"accept-language", [b"en;q=0"], [b"en"]),
        (b"accept-encoding", [b"gzip"], [b"gzip, br"]),
        (b"accept-encoding", [b"gzip, br;q=0"], [b"gzip, br"]),
        (b"accept-encoding", [b"gzip;q=2"], [b"gzip"]),
        (b"user-agent", [b"Mozilla"], [b"mozilla"]),
    ],
)
def test_different_values(name: bytes, one: list[bytes], other: list[bytes]) -> None:
    assert not same(name, one, other)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ((), ()),
        (("Vary: ",), ()),
        (("Vary: B, a,,b",), (b"a", b"b")),
        (("Vary: a", "vary: B"), (b"a", b"b")),
        (("Vary: a, *",), None),
        (("Vary: *, *",), None),
        (("Vary: a", "Vary: *"), None),
        (("Vary: a, X-Forwarded-For",), None),
        (("Vary: forwarded",), None),
        (("Vary: X-Request-ID",), None),
        (("Vary: Traceparent",), None),
    ],
)
def test_names(fields: tuple[str, ...], names: object) -> None:
    assert vary_names(lines(fields)) == names
