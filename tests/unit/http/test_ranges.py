"""RFC 9110 section 14: parts joined and found again."""

import pytest

from adc.http.ranges import ByteRange, ContentRange, join_bytes, joined, parse_content_range, within

WHOLE = b"0123456789"


def part(first: int, last: int, total: int | None = 10) -> ContentRange:
    return ContentRange(first, last, total)


@pytest.mark.parametrize(
    ("one", "other", "whole"),
    [
        ((0, 4), (5, 9), (0, 9)),
        ((5, 9), (0, 4), (0, 9)),
        ((0, 5), (3, 9), (0, 9)),
        ((3, 9), (0, 5), (0, 9)),
        ((0, 9), (3, 4), (0, 9)),
        ((3, 4), (0, 9), (0, 9)),
        ((2, 3), (4, 4), (2, 4)),
    ],
)
def test_touching_parts_join(one: tuple[int, int], other: tuple[int, int], whole: tuple[int, int]) -> None:
    assert joined(part(*one), part(*other)) == part(*whole)
    text = join_bytes(part(*one), WHOLE[one[0] : one[1] + 1], part(*other), WHOLE[other[0] : other[1] + 1])
    assert text == WHOLE[whole[0] : whole[1] + 1]


def test_parts_with_a_gap_or_of_other_wholes_do_not_join() -> None:
    assert joined(part(0, 3), part(5, 9)) is None
    assert joined(part(5, 9), part(0, 3)) is None
    assert joined(part(0, 4), part(5, 9, 11)) is None


def test_a_known_total_serves_both() -> None:
    assert joined(part(0, 4, None), part(5, 9)) == part(0, 9)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (b"bytes=2-4", ByteRange(2, 4)),
        (b"bytes=2-9", None),
        (b"bytes=2-", None),
        (b"bytes=-2", None),
        (b"x", None),
    ],
)
def test_within_a_part_of_unknown_total(asked: bytes, found: ByteRange | None) -> None:
    assert within(part(0, 4, None), asked) == found


@pytest.mark.parametrize(
    "value", [b"", b"bytes", b"bytes 1", b"bytes 1-/2", b"bytes -1/2", b"bytes 0-1", b"0-1/2"]
)
def test_a_bad_content_range_is_none(value: bytes) -> None:
    assert parse_content_range(value) is None


def test_content_range_ignores_the_case_of_its_unit() -> None:
    assert parse_content_range(b" Bytes 0-1/2 ") == part(0, 1, 2)
