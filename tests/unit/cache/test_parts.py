"""RFC 9111 section 3.4: combining partial content."""

import pytest

from adc.cache.entry import Entry
from adc.cache.parts import coexists, combined, joinable
from adc.http.ranges import ContentRange
from tests.unit.cache.messages import request, stored

WHOLE = b"0123456789"


def part(first: int, last: int, etag: str = '"a"', *fields: str, asked: str = "en") -> Entry:
    where = f"Content-Range: bytes {first}-{last}/10"
    return stored(
        "Cache-Control: max-age=60",
        f"ETag: {etag}",
        "Vary: L",
        where,
        *fields,
        asked=request(f"L: {asked}"),
        status=206,
        body=WHOLE[first : last + 1],
    )


def test_parts_that_make_the_whole_become_a_complete_response() -> None:
    found = combined(part(5, 9, '"a"', "X-A: new"), [part(0, 5, '"a"', "X-A: old")], 100)
    assert (found.status, found.part, found.body, found.length) == (200, None, WHOLE, 10)
    assert b"content-range" not in found.headers
    assert found.headers.get(b"x-a") == b"new"


def test_parts_that_touch_become_a_longer_part() -> None:
    found = combined(part(4, 6), [part(2, 3)], 100)
    assert (found.status, found.part, found.body) == (206, ContentRange(2, 6, 10), b"23456")
    assert found.headers.get_all(b"content-range") == [b"bytes 2-6/10"]


def test_a_gap_may_be_closed_by_the_newest() -> None:
    assert combined(part(3, 6), [part(0, 2), part(7, 9)], 100).body == WHOLE


@pytest.mark.parametrize(
    ("newer", "other"),
    [
        (part(5, 9), part(0, 3)),
        (part(5, 9), part(0, 4, '"b"')),
        (part(5, 9, 'W/"a"'), part(0, 4, 'W/"a"')),
        (part(5, 9), part(0, 4, asked="de")),
    ],
)
def test_distant_parts_and_other_representations_are_not_joined(newer: Entry, other: Entry) -> None:
    assert combined(newer, [other], 100) is newer


def test_the_result_is_bounded() -> None:
    newer = part(5, 9)
    assert combined(newer, [part(0, 4)], 9) is newer


def test_newer_response_leaves_unrelated_entries_in_use() -> None:
    whole = stored("Cache-Control: max-age=60", "Vary: L", 'ETag: "a"', asked=request("L: en"))
    assert coexists(part(0, 4), part(5, 9))
    assert coexists(part(0, 4), whole)
    assert coexists(whole, part(0, 4, '"b"'))
    assert coexists(part(0, 4, '"b"'), part(0, 4))


def test_newer_response_outdates_related_entries() -> None:
    whole = stored("Cache-Control: max-age=60", 'ETag: "a"', asked=request("L: en"))
    assert not coexists(part(0, 4, '"b"'), part(5, 9))
    assert not coexists(part(0, 4, 'W/"a"'), part(5, 9, 'W/"a"'))
    assert not coexists(whole, part(0, 4))


def test_only_what_touches_and_is_of_the_same_version_is_worth_loading() -> None:
    whole = stored("Cache-Control: max-age=60", "Vary: L", 'ETag: "a"', asked=request("L: en"))
    before, after, apart, long = part(1, 2), part(5, 5), part(7, 8), part(0, 8)
    held = [before, after, apart, long, part(1, 2, '"b"'), part(1, 2, '"a"', asked="de"), whole]
    assert joinable(part(3, 4), held, 5) == [before, after]
    assert joinable(part(3, 4), held, 9) == [before, after, long]
