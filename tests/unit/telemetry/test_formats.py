from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.telemetry import formats
from adc.telemetry.escape import CUT, FIELD_LIMIT, escape_text, is_plain, json_text
from tests.unit.telemetry.finished import Finished, request

BROWSER = ((b"Referer", b"https://example.com/"), (b"User-Agent", b"Mozilla/5.0 (X11)"))


def line_of(text: str, record: Finished) -> str:
    return formats.compile_format(text)(record).decode("utf-8")


def combined(record: Finished) -> str:
    return line_of("combined", record)


def json_line(record: Finished) -> str:
    return line_of("json", record)


def test_combined_is_what_log_analysers_expect() -> None:
    line = combined(Finished(request=request(headers=BROWSER)))
    assert line == (
        '192.0.2.7 - - [21/Sep/2026:14:13:20 +0000] "GET /shop?x=1 HTTP/1.1" 200 3456 '
        '"https://example.com/" "Mozilla/5.0 (X11)"'
    )


def test_combined_marks_missing_fields_with_a_dash() -> None:
    assert combined(Finished()).endswith('"GET /shop?x=1 HTTP/1.1" 200 3456 "-" "-"')


def test_combined_of_a_request_that_never_completed_still_names_the_client() -> None:
    line = combined(Finished(request=None, status=408, bytes_out=0))
    assert line == '192.0.2.7 - - [21/Sep/2026:14:13:20 +0000] "-" 408 0 "-" "-"'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b'a"b', "a\\x22b"),
        (b"a\\b", "a\\x5Cb"),
        (b"a\nb", "a\\x0Ab"),
        (b"a\x1b[31mb", "a\\x1B[31mb"),
        (b"a\x7fb", "a\\x7Fb"),
        ("é".encode(), "\\xC3\\xA9"),
        (b"\xff", "\\xFF"),
    ],
)
def test_combined_escapes_each_client_value(value: bytes, shown: str) -> None:
    agent = combined(Finished(request=request(headers=((b"User-Agent", value),))))
    referer = combined(Finished(request=request(headers=((b"Referer", value),))))
    target = combined(Finished(request=request(f"/{value.decode('utf-8', 'surrogateescape')}")))
    assert agent.endswith(f'"{shown}"')
    assert referer.endswith(f'"{shown}" "-"')
    assert f'"GET /{shown} HTTP/1.1"' in target


HOSTILE = [
    b'"' * 31_000,
    b"\\" * 31_000,
    b"\x01" * 31_000,
    b"\xff" * 31_000,
    "é".encode() * 15_000,
    "\U0001f600".encode() * 7_000,
    b"a" * 31_000,
    b"a" * 4095 + b'"' * 20_000,
    b'"' * 5000 + b"a" * 26_000,
]
FORMATS = ["combined", "json", '{client} "{user_agent}" "{header.referer}" "{target}"']


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value[:6]))
@pytest.mark.parametrize("text", FORMATS)
def test_a_long_value_is_cut_and_marked_in_every_format(text: str, value: bytes) -> None:
    fields = ((b"User-Agent", value), (b"Referer", value))
    target = "/" + value.decode("utf-8", "surrogateescape")
    line = line_of(text, Finished(request=request(target, headers=fields)))
    assert line.count(CUT) == 3
    assert 3 * 600 < len(line) < 3 * (FIELD_LIMIT + len(CUT)) + 600
    assert is_plain(line.replace('"', "").replace("\\", ""))
    if text == "json":
        row = json.loads(line)
        assert all(row[key].endswith(CUT) for key in ("target", "referer", "user_agent"))


@pytest.mark.parametrize("text", FORMATS)
def test_a_value_at_the_limit_is_not_cut(text: str) -> None:
    whole = "a" * FIELD_LIMIT
    for value, cut in ((whole, False), (whole + "a", True)):
        line = line_of(text, Finished(request=request(headers=((b"User-Agent", value.encode()),))))
        assert whole in line
        assert (CUT in line) is cut


@given(st.text(max_size=60), st.integers(1, 80))
def test_a_cut_value_is_the_beginning_of_the_whole_one(text: str, limit: int) -> None:
    for escape in (escape_text, lambda text, limit: json_text(text, limit)[1:-1]):
        whole, shown = escape(text, 10_000), escape(text, limit)
        assert is_plain(shown.replace('"', "").replace("\\", ""))
        if shown.endswith(CUT):
            assert whole.startswith(shown.removesuffix(CUT))
            assert len(shown) <= limit + len(CUT)
        else:
            assert shown == whole


def test_json_has_every_field_with_its_type() -> None:
    row = json.loads(json_line(Finished(request=request(headers=BROWSER))))
    assert row == {
        "time": "2026-09-21T14:13:20.250Z",
        "method": "GET",
        "scheme": "http",
        "authority": "example.com:8080",
        "target": "/shop?x=1",
        "version": "1.1",
        "peer": "10.0.0.9",
        "referer": "https://example.com/",
        "user_agent": "Mozilla/5.0 (X11)",
        "client": "192.0.2.7",
        "listener": "main",
        "route": "shop",
        "pool": "web",
        "member": "127.0.0.1:9000",
        "cache": "",
        "request_id": "abc-1",
        "end_reason": "-",
        "status": 200,
        "bytes_in": 12,
        "bytes_out": 3456,
        "elapsed": 0.0125,
        "upstream_elapsed": 0.01,
        "attempts": 2,
    }


def test_json_of_a_request_that_never_completed_keeps_its_keys() -> None:
    full, empty = json.loads(json_line(Finished())), json.loads(json_line(Finished(request=None)))
    assert list(full) == list(empty)
    assert empty["target"] == ""


def test_json_spells_out_bytes_that_are_no_text() -> None:
    row = json.loads(
        json_line(Finished(request=request(headers=((b"User-Agent", b"caf\xc3\xa9 \xff\x1b"),))))
    )
    assert row["user_agent"] == "café \\xff\x1b"


def test_json_carries_a_percent_sign_as_it_is() -> None:
    assert json.loads(json_line(Finished(request=request("/%20%s%d"))))["target"] == "/%20%s%d"


def test_named_formats_and_templates_compile() -> None:
    assert formats.compile_format("combined") is formats.combined
    assert formats.compile_format("json") is formats.json_line
    assert formats.compile_format("{status}")(Finished(status=204)) == b"204"
