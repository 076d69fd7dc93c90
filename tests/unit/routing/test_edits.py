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
    replace: dict[str, list[tuple[str, str]]] | None = None,
    client: str = "192.0.2.1",
) -> list[tuple[bytes, bytes]]:
    headers = Headers(lines)
    request = Request("GET", "/a", "/a", "", "h:80", "h", headers, source=client, scheme="https")
    edits = header_edits(set_ or {}, add or {}, remove, replace)
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


def test_every_line_of_a_name_is_replaced_by_itself_and_others_stay() -> None:
    lines = [(b"Set-Cookie", b"a=1; Path=/"), (b"b", b"Path=/"), (b"set-cookie", b"c=2; Path=/; Secure")]
    edited_lines = edited(
        lines, replace={"SET-cookie": [("Path=(/)(;|$)", r"Path=/app\1\2"), ("Secure", "")]}
    )
    assert edited_lines == [
        (b"Set-Cookie", b"a=1; Path=/app/"),
        (b"b", b"Path=/"),
        (b"set-cookie", b"c=2; Path=/app/;"),
    ]


def test_line_without_a_match_stays_byte_for_byte() -> None:
    assert edited([(b"x", b"\xff\xe9 a")], replace={"x": [("b", "c")]}) == [(b"x", b"\xff\xe9 a")]


def test_bytes_of_any_encoding_are_replaced_around() -> None:
    assert edited([(b"x", b"\xe9a\xc3\xa9")], replace={"x": [("a", "b")]}) == [(b"x", b"\xe9b\xc3\xa9")]


def test_line_that_becomes_empty_is_removed() -> None:
    assert edited([(b"x", b"a"), (b"x", b"")], replace={"x": [("a", "")]}) == [(b"x", b"")]


def test_line_with_too_many_matches_is_removed() -> None:
    assert edited([(b"x", b"a" * 257), (b"x", b"a" * 256)], replace={"x": [("a", "b")]}) == [
        (b"x", b"b" * 256)
    ]


def test_replacement_cannot_end_its_line() -> None:
    assert edited([(b"x", b"a")], replace={"x": [("a", "b\r\nc: d")]}) == [(b"x", b"b  c: d")]


def test_values_are_replaced_before_lines_are_removed_set_and_added() -> None:
    got = edited(
        [(b"x", b"a"), (b"y", b"a")],
        set_={"x": "a"},
        add={"y": "a"},
        replace={"x": [("a", "b")], "y": [("a", "b")]},
    )
    assert got == [(b"y", b"b"), (b"x", b"a"), (b"y", b"a")]


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


@pytest.mark.parametrize(
    ("name", "edit"), [("host", ("a", "b")), ("x", ("(", "b")), ("x", ("(?=a)", "")), ("x", ("a", r"\1"))]
)
def test_bad_replacement_is_refused(name: str, edit: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        header_edits({}, {}, (), {name: [edit]})
