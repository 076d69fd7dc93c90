from __future__ import annotations

import pytest

from adc.http.headers import Headers
from adc.http.message import Request
from adc.routing import header_edits


def edited(
    lines: list[tuple[bytes, bytes]],
    *,
    set_: dict[str, str] | None = None,
    add: dict[str, str] | None = None,
    remove: tuple[str, ...] = (),
    client: str = "192.0.2.1",
) -> list[tuple[bytes, bytes]]:
    headers = Headers(lines)
    request = Request("GET", "/a", "/a", "", "h:80", "h", headers, source=client, scheme="https")
    edits = header_edits(set_ or {}, add or {}, remove)
    assert edits is not None
    edits.apply(headers, request, "id-1", "web")
    return headers.pairs


def test_no_edits_are_absent() -> None:
    assert header_edits({}, {}, ()) is None


def test_set_replaces_every_line_of_the_name() -> None:
    lines = [(b"X-A", b"1"), (b"b", b"2"), (b"x-a", b"3")]
    assert edited(lines, set_={"X-a": "new"}) == [(b"b", b"2"), (b"X-a", b"new")]


def test_add_keeps_the_lines_there() -> None:
    assert edited([(b"x-a", b"1")], add={"x-a": "2"}) == [(b"x-a", b"1"), (b"x-a", b"2")]


def test_remove_drops_lines_in_any_case() -> None:
    assert edited([(b"X-Debug", b"1"), (b"b", b"2")], remove=("x-DEBUG",)) == [(b"b", b"2")]


def test_removal_comes_before_adding() -> None:
    assert edited([(b"x", b"1")], add={"x": "2"}, remove=("x",)) == [(b"x", b"2")]


def test_placeholders_are_filled_in() -> None:
    value = "{client_ip} {scheme}://{host}{path} {request_id} {route} {{x}}"
    assert edited([], set_={"x": value}) == [(b"x", b"192.0.2.1 https://h/a id-1 web {x}")]


def test_doubled_brace_is_one_brace_without_placeholders_too() -> None:
    assert edited([], set_={"x": "{{a}}"}) == [(b"x", b"{a}")]


def test_value_from_the_request_cannot_end_its_line() -> None:
    assert edited([], set_={"x": "{client_ip}"}, client="a\r\nb: c\x00") == [(b"x", b"a  b: c")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("é", "x"),
        ("x\r\n", "x"),
        ("Content-Length", "1"),
        ("transfer-encoding", "chunked"),
        ("Connection", "close"),
        ("host", "a"),
        ("x", "a\r\nb"),
        ("x", "\x00"),
        ("x", "{cookie}"),
        ("x", "{host!r}"),
        ("x", "{host.__class__}"),
        ("x", "{"),
    ],
)
def test_bad_edit_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        header_edits({name: value}, {}, ())
    with pytest.raises(ValueError, match=r"\w"):
        header_edits({}, {name: value}, ())
