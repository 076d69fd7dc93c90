"""Conditions and ranges of files."""

from hypothesis import example, given
from hypothesis import strategies as st

from adc.files.answer import answer
from adc.files.representation import Representation
from adc.http.headers import Headers
from adc.http.ranges import ByteRange

NOW = 1_800_000_000.0
CONTENT = bytes(range(200))


def held(size=200, modified=NOW - 100, coding=""):
    return Representation(size, int(modified) * 10**9, 7, b"text/plain", coding, bool(coding), (), NOW)


def content(made):
    return b"".join(
        piece if isinstance(piece, bytes) else CONTENT[piece.first : piece.last + 1] for piece in made.pieces
    )


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 250), st.integers(0, 250)).map("{0[0]}-{0[1]}".format),
            st.integers(0, 250).map("{}-".format),
            st.integers(0, 250).map("-{}".format),
            st.text(alphabet="0123456789-, =", max_size=8),
        ),
        max_size=20,
    ),
    st.sampled_from(["bytes=", "bytes = ", "items=", ""]),
)
@example(["0-9", "150-"], "bytes=")
@example(["200-", "-0"], "bytes=")
def test_any_range_gives_the_whole_or_parts_that_are_what_they_say(ranges, unit):
    headers = Headers([(b"Range", (unit + ",".join(ranges)).encode())])
    made = answer("GET", headers, held(), b"BOUNDARY", NOW)
    assert made.status in (200, 206, 416)
    sent = content(made)
    if made.status == 416:
        assert made.lines == [(b"Content-Range", b"bytes */200")]
        return
    assert len(sent) == made.length
    if made.status == 200:
        assert sent == CONTENT
        return
    spans = [piece for piece in made.pieces if isinstance(piece, ByteRange)]
    assert 1 <= len(spans) <= 16
    assert all(0 <= span.first <= span.last < len(CONTENT) for span in spans)
    known = dict(made.lines)
    if len(spans) == 1 and b"Content-Range" in known:
        assert known[b"Content-Range"] == b"bytes %d-%d/200" % spans[0]
    else:
        assert known[b"Content-Type"] == b"multipart/byteranges; boundary=BOUNDARY"
        assert sent.endswith(b"\r\n--BOUNDARY--\r\n")


def test_if_none_match_overrides_the_date_and_if_match_comes_first():
    tag = held().etag
    for lines, status in (
        ([(b"If-None-Match", tag)], 304),
        ([(b"If-None-Match", b'"x"'), (b"If-Modified-Since", b"Fri, 31 Dec 2100 00:00:00 GMT")], 200),
        ([(b"If-Match", b'"x"'), (b"If-None-Match", tag)], 412),
        ([(b"If-Match", tag), (b"If-None-Match", tag)], 304),
        ([(b"If-Match", tag), (b"If-Unmodified-Since", b"Thu, 01 Jan 1970 00:00:00 GMT")], 200),
        ([(b"If-Modified-Since", b"yesterday")], 200),
        ([(b"If-None-Match", tag), (b"Range", b"bytes=0-0")], 304),
    ):
        assert answer("GET", Headers(lines), held(), b"b", NOW).status == status, lines


def test_the_date_of_a_file_that_changed_just_now_is_no_strong_validator():
    just_now = held(modified=NOW - 1)
    date = dict(just_now.lines)[b"Last-Modified"]
    headers = Headers([(b"Range", b"bytes=0-0"), (b"If-Range", date)])
    assert answer("GET", headers, just_now, b"b", NOW).status == 200
    assert answer("GET", headers, just_now, b"b", NOW + 5).status == 206


def test_a_time_in_the_future_is_not_told():
    assert held(modified=NOW + 1000).modified == NOW


def test_each_coding_has_a_validator_of_its_own():
    tags = {held(coding=coding).etag for coding in ("", "br", "gzip")}
    assert len(tags) == 3
    assert not any(tag.startswith(b"W/") for tag in tags)


def test_head_ignores_a_range_and_empty_content_has_none():
    headers = Headers([(b"Range", b"bytes=0-0")])
    assert answer("HEAD", headers, held(), b"b", NOW).status == 200
    assert answer("GET", headers, held(size=0), b"b", NOW).status == 416
    assert answer("GET", Headers(), held(size=0), b"b", NOW).pieces == ()
