from __future__ import annotations

import time

import pytest

from adc.http.media import parse_media_type, parse_preferences, preferred


@pytest.mark.parametrize(
    ("value", "essence", "parameters"),
    [
        (b"text/html", "text/html", {}),
        (b" Text/HTML ;Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        (b'text/html; charset="utf-8"', "text/html", {"charset": "utf-8"}),
        (b'text/plain; a="x;y, \\"z\\""; b=c', "text/plain", {"a": 'x;y, "z"', "b": "c"}),
        (b"text/html; charset=utf-8; charset=latin-1", "text/html", {"charset": "utf-8"}),
        (b"text/html; bad; =x; y=; z = 1; ok=1", "text/html", {"ok": "1"}),
        (b'text/html; a="open', "text/html", {}),
        (b"application/vnd.api+json;", "application/vnd.api+json", {}),
    ],
)
def test_media_types_are_read(value: bytes, essence: str, parameters: dict[str, str]) -> None:
    media = parse_media_type(value)
    assert media is not None
    assert (media.essence, media.parameters) == (essence, parameters)


@pytest.mark.parametrize(
    "value", [b"", b";", b"text", b"text/", b"/html", b"text/html/x", b"text /html", b"t\xff/x", b'"']
)
def test_what_has_no_type_is_no_media_type(value: bytes) -> None:
    assert parse_media_type(value) is None


def ranked(value: bytes) -> list[tuple[str, float]]:
    return [(item.value, item.quality) for item in parse_preferences(value)]


def test_items_are_ordered_by_quality_then_as_written() -> None:
    assert ranked(b"gzip;q=0.5, br, zstd;q=1.0, identity;q=0, *;q=0.5") == [
        ("br", 1.0),
        ("zstd", 1.0),
        ("gzip", 0.5),
        ("*", 0.5),
        ("identity", 0.0),
    ]


def test_spaces_empty_items_and_case_do_not_matter() -> None:
    assert ranked(b" , GZIP ; Q=0.25 ,, br\t;q=0.125,") == [("gzip", 0.25), ("br", 0.125)]


@pytest.mark.parametrize(
    "quality", [b"2", b"1.1", b"-1", b"0.1234", b"", b"abc", b"nan", b"1e0", b" 1", b'"1"']
)
def test_an_item_with_a_malformed_quality_is_left_out(quality: bytes) -> None:
    assert ranked(b"br, gzip;q=" + quality) == [("br", 1.0)]


def test_parameters_before_the_quality_are_kept_and_commas_in_quotes_do_not_divide() -> None:
    (item,) = parse_preferences(b'text/html;level="1,2";q=0.5;ext=1')
    assert (item.value, item.parameters, item.quality) == ("text/html", {"level": "1,2"}, 0.5)


@pytest.mark.parametrize("piece", [b'"\\', b'"', b'\\"', b'a;"', b"a;", b"a,", b'a,"', b";q=", b"\\"])
def test_a_hostile_list_is_read_quickly_and_in_part(piece: bytes) -> None:
    value = piece * (64_000 // len(piece))
    started = time.process_time()
    items = parse_preferences(value)
    parse_media_type(b"a/b;" + value)
    assert time.process_time() - started < 0.5
    assert len(items) <= 64


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "text/html"),
        (b"", "text/html"),
        (b"*/*", "text/html"),
        (b"application/json", "application/json"),
        (b"application/*", "application/json"),
        (b"text/html;q=0.5, application/json", "application/json"),
        (b"*/*, text/html;q=0.1", "application/json"),
        (b"*/*;q=0.1, application/json;q=0, text/*;q=0.2", "text/html"),
        (b"TEXT/HTML", "text/html"),
        (b"image/png", None),
        (b"*/*;q=0", None),
        (b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
    ],
)
def test_the_offer_rated_highest_is_chosen(accept: bytes | None, chosen: str | None) -> None:
    assert preferred(accept, ("text/html", "application/json")) == chosen


def test_a_string_without_its_closing_mark_runs_to_the_end() -> None:
    assert ranked(b'text/html;a="x, br, gzip') == [("text/html", 1.0)]
