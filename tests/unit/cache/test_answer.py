"""RFC 9111 section 4.3.2 and RFC 9110 sections 13 to 15: answers made from a stored response."""

import pytest

from adc.cache.answer import answer
from adc.http.ranges import ByteRange
from tests.unit.cache.messages import NOW, date, request, stored

BODY = b"0123456789"


def held(*fields: str, **more):
    return stored("Cache-Control: max-age=60", *fields, body=BODY, **more)


def ask(entry, *fields: str, after: float = 7, **more):
    return answer(request(*fields, **more), entry, NOW + after, b"BOUNDARY")


def values(found, name: bytes) -> list[bytes]:
    return [value for key, value in found.headers if key.lower() == name]


def test_the_whole_with_its_age() -> None:
    found = ask(held("X-A: 1"))
    assert (found.status, found.length, found.span) == (200, 10, ByteRange(0, 9))
    assert values(found, b"age") == [b"7"]
    assert values(found, b"x-a") == [b"1"]


def test_head_has_the_length_and_no_content() -> None:
    found = ask(held(), method="HEAD")
    assert (found.status, found.length, found.span) == (200, 10, None)


@pytest.mark.parametrize(
    ("etag", "asked", "same"),
    [
        ('"a"', '"a"', True),
        ('"a"', 'W/"a"', True),
        ('W/"a"', '"a"', True),
        ('W/"a"', 'W/"a"', True),
        ('"a"', '"b"', False),
        ('"a"', '"b", "a"', True),
        ('"a"', '"b","c" , "a" ,"d"', True),
        ('"a"', '"A"', False),
        ('"a"', "*", True),
        ('"a"', '"x, "a", y"', True),
        ('"a,b"', '"a,b"', True),
        ('"a,b"', '"a"', False),
        ("a", "a", True),
        ('"a"', 'w/"a"', False),
        ('"a"', "", False),
        ('"\u00e9"', '"\u00e9"', True),
        ('""', '""', True),
        ("", ",,", False),
        ("a", '"a"', False),
    ],
)
def test_if_none_match(etag: str, asked: str, same: bool) -> None:
    found = ask(held(f"ETag: {etag}"), f"If-None-Match: {asked}")
    assert found.status == (304 if same else 200)


def test_if_none_match_over_several_lines() -> None:
    assert ask(held('ETag: "a"'), 'If-None-Match: "b"', 'If-None-Match: "a"').status == 304


@pytest.mark.parametrize(
    ("field", "same"),
    [
        (f"If-Modified-Since: {date(-100)}", True),
        (f"If-Modified-Since: {date(-99)}", True),
        (f"If-Modified-Since: {date(-101)}", False),
        ("If-Modified-Since: yesterday", False),
    ],
)
def test_if_modified_since(field: str, same: bool) -> None:
    assert ask(held(f"Last-Modified: {date(-100)}"), field).status == (304 if same else 200)


def test_if_modified_since_compares_with_date_without_a_last_modified() -> None:
    entry = held(f"Date: {date(-50)}")
    assert ask(entry, f"If-Modified-Since: {date(-50)}").status == 304
    assert ask(entry, f"If-Modified-Since: {date(-51)}").status == 200


def test_if_none_match_alone_decides_when_both_are_there() -> None:
    entry = held('ETag: "a"', f"Last-Modified: {date(-100)}")
    assert ask(entry, 'If-None-Match: "b"', f"If-Modified-Since: {date()}").status == 200
    assert ask(entry, 'If-None-Match: "a"', f"If-Modified-Since: {date(-999)}").status == 304


@pytest.mark.parametrize("status", [301, 404, 500])
def test_conditions_are_for_successful_responses(status: int) -> None:
    assert ask(held('ETag: "a"', status=status), 'If-None-Match: "a"').status == status


def test_a_304_has_the_fields_a_client_needs_to_update_its_copy() -> None:
    entry = held('ETag: "a"', "Vary: X", "Expires: 0", "Content-Location: /b", "X-A: 1", "Content-Type: a/b")
    found = ask(entry, 'If-None-Match: "a"')
    names = {name.lower() for name, _ in found.headers}
    assert names == {b"cache-control", b"etag", b"vary", b"expires", b"content-location", b"date", b"age"}
    assert (found.length, found.span) == (None, None)


@pytest.mark.parametrize(
    ("asked", "span", "where"),
    [
        ("bytes=0-0", (0, 0), b"bytes 0-0/10"),
        ("bytes=2-5", (2, 5), b"bytes 2-5/10"),
        ("bytes=5-", (5, 9), b"bytes 5-9/10"),
        ("bytes=5-99", (5, 9), b"bytes 5-9/10"),
        ("bytes=-3", (7, 9), b"bytes 7-9/10"),
        ("bytes=-99", (0, 9), b"bytes 0-9/10"),
        ("BYTES = 2-5", (2, 5), b"bytes 2-5/10"),
        ("bytes=2-5, 20-30", (2, 5), b"bytes 2-5/10"),
    ],
)
def test_a_single_range(asked: str, span: tuple[int, int], where: bytes) -> None:
    found = ask(held('ETag: "a"'), f"Range: {asked}")
    assert (found.status, found.span) == (206, ByteRange(*span))
    assert values(found, b"content-range") == [where]
    assert found.length == span[1] - span[0] + 1


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=-0", "bytes=10-20,30-"])
def test_a_range_outside_is_416(asked: str) -> None:
    found = ask(held(), f"Range: {asked}")
    assert (found.status, found.length) == (416, 0)
    assert values(found, b"content-range") == [b"bytes */10"]


@pytest.mark.parametrize(
    "asked",
    [
        "lines=0-1",
        "bytes",
        "bytes=",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=--2",
        "bytes=0x1-2",
        "bytes=1",
        "bytes=0-5,3-8",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(17)),
    ],
)
def test_a_range_that_is_not_understood_or_abusive_is_ignored(asked: str) -> None:
    assert ask(held(), f"Range: {asked}").status == 200


def test_head_and_errors_have_no_ranges() -> None:
    assert ask(held(), "Range: bytes=0-1", method="HEAD").status == 200
    assert ask(held(status=404), "Range: bytes=0-1").status == 404


def test_a_304_comes_before_a_range() -> None:
    assert ask(held('ETag: "a"'), 'If-None-Match: "a"', "Range: bytes=0-1").status == 304


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ('"a"', 206),
        ('"b"', 200),
        ('W/"a"', 200),
        (date(-100), 206),
        (date(-99), 200),
        (date(-101), 200),
        ("nonsense", 200),
    ],
)
def test_if_range_needs_a_strong_match(value: str, status: int) -> None:
    entry = held('ETag: "a"', f"Last-Modified: {date(-100)}")
    assert ask(entry, "Range: bytes=0-1", f"If-Range: {value}").status == status


def test_several_lines_of_range_or_if_range_get_all_of_it() -> None:
    assert ask(held(), "Range: bytes=0-1", "Range: bytes=2-3").status == 200
    assert ask(held('ETag: "a"'), "Range: bytes=0-1", 'If-Range: "b"', 'If-Range: "a"').status == 200


def test_a_last_modified_close_to_date_is_weak() -> None:
    entry = held(f"Last-Modified: {date(-59)}")
    assert ask(entry, "Range: bytes=0-1", f"If-Range: {date(-59)}").status == 200


def test_a_weak_etag_does_not_match_itself_in_if_range() -> None:
    assert ask(held('ETag: W/"a"'), "Range: bytes=0-1", 'If-Range: W/"a"').status == 200


def test_several_ranges_are_a_multipart() -> None:
    found = ask(held("Content-Type: text/plain"), "Range: bytes=0-1,-2")
    assert found.status == 206
    assert values(found, b"content-type") == [b"multipart/byteranges; boundary=BOUNDARY"]
    text = b"".join(head + BODY[item.first : item.last + 1] for head, item in found.parts.parts)
    text += found.parts.closing
    assert len(text) == found.length
    assert text == (
        b"\r\n--BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
        b"\r\n--BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
        b"\r\n--BOUNDARY--\r\n"
    )


def test_a_stored_part_answers_with_its_own_offsets() -> None:
    entry = stored("Cache-Control: max-age=60", "Content-Range: bytes 2-6/10", status=206)
    found = ask(entry, "Range: bytes=3-4")
    assert (found.status, found.span, found.length) == (206, ByteRange(1, 2), 2)
    assert values(found, b"content-range") == [b"bytes 3-4/10"]
