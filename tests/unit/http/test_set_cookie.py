import pytest

from adc.http.set_cookie import CookieAttributes, SetCookie, format_set_cookie, parse_set_cookie


def test_written_cookie_has_exactly_the_attributes_asked_for() -> None:
    assert format_set_cookie("a", "b", CookieAttributes(path="", http_only=False)) == b"a=b"
    everything = CookieAttributes("/x", "example.com", 60, True, True, "lax")
    expected = b"a=b; Path=/x; Domain=example.com; Max-Age=60; Secure; HttpOnly; SameSite=Lax"
    assert format_set_cookie("a", "b", everything) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a=b", SetCookie(b"a", b"b", b"")),
        (b" a = b ;Path=/", SetCookie(b"a", b"b", b";Path=/")),
        (b"a=b=c; x", SetCookie(b"a", b"b=c", b"; x")),
        (b"a=", SetCookie(b"a", b"", b"")),
        (b"=b", None),
        (b"a", None),
        (b"", None),
        (b"; Path=/", None),
    ],
)
def test_reading(line: bytes, expected: SetCookie | None) -> None:
    assert parse_set_cookie(line) == expected


def test_value_is_replaced_and_the_rest_is_left_alone() -> None:
    cookie = parse_set_cookie(b"a=b; Path=/;  HttpOnly")
    assert cookie is not None
    assert cookie.replace_value(b"c") == b"a=c; Path=/;  HttpOnly"
