from __future__ import annotations

import time

import pytest

from adc.http.media import parse_preferences


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
    assert time.process_time() - started < 0.5
    assert len(items) <= 64


def test_a_string_without_its_closing_mark_runs_to_the_end() -> None:
    assert ranked(b'text/html;a="x, br, gzip') == [("text/html", 1.0)]
