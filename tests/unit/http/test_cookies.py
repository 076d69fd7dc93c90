from __future__ import annotations

import pytest

from adc.http.cookies import MAX_COOKIES, parse_cookies
from adc.http.headers import Headers


@pytest.mark.parametrize(
    ("line", "cookies"),
    [
        (b"a=1; b=2", {"a": "1", "b": "2"}),
        (b"a=1;b=2;", {"a": "1", "b": "2"}),
        (b"a=1; a=2", {"a": "1"}),
        (b'a="x y"; b="', {"a": "x y", "b": '"'}),
        (b"a=b=c", {"a": "b=c"}),
        (b"a; =1; ;; b = 2 ", {"b": "2"}),
        (b"a=", {"a": ""}),
        (b"a=%41; b=\xe9", {"a": "%41", "b": "\xe9"}),
        (b"", {}),
    ],
)
def test_cookie_line_is_read_forgivingly(line: bytes, cookies: dict[str, str]) -> None:
    assert parse_cookies(Headers([(b"Cookie", line)])) == cookies


def test_no_cookie_field_gives_no_cookies() -> None:
    assert parse_cookies(Headers([(b"Host", b"a")])) == {}


def test_cookies_of_several_lines_are_one_list() -> None:
    assert parse_cookies(Headers([(b"cookie", b"a=1"), (b"Cookie", b"b=2; a=3")])) == {"a": "1", "b": "2"}


def test_number_of_cookies_is_bounded() -> None:
    line = b";".join(b"c%d=1" % number for number in range(MAX_COOKIES + 5))
    cookies = parse_cookies(Headers([(b"cookie", line)]))
    assert len(cookies) == MAX_COOKIES
    assert f"c{MAX_COOKIES}" not in cookies
