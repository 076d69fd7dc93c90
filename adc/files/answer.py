"""The response that a file makes for a request: whole, part, parts, 304, 412 or 416 (RFC 9110 sections 13 and 14)."""

from __future__ import annotations

from typing import Final, NamedTuple

from adc.files.representation import Representation
from adc.http.dates import parse_http_date
from adc.http.headers import Headers, Pair
from adc.http.preconditions import match_fails, none_match_fails, same_strongly
from adc.http.ranges import ByteRange, UnsatisfiableError, content_range, multipart, parse_range

SELECTING: Final = frozenset(
    {b"if-match", b"if-modified-since", b"if-none-match", b"if-unmodified-since", b"range"}
)
"""Fields that make a request ask for anything but the whole content."""

_STRONG_AFTER: Final = 2
"""Seconds after which a file's time of change is a strong validator: it may change twice within one second."""


class Answer(NamedTuple):
    """`status`, the fields, the length to announce, and the content: texts, and ranges of the file. A 412 or a 416 has
    none: its content is an error page."""

    status: int
    lines: list[Pair]
    length: int
    pieces: tuple[bytes | ByteRange, ...]


def answer(method: str, headers: Headers, held: Representation, boundary: bytes, now: float) -> Answer:
    """Answer a GET or HEAD with `held`. `boundary` must not occur in the content: give it 128 random bits.

    `now` is in epoch seconds. Preconditions are evaluated in the order of RFC 9110 section 13.2.2.
    """
    known = headers.index
    if not SELECTING.isdisjoint(known):
        if _precondition_fails(headers, held, now):
            return Answer(412, [], 0, ())
        if _is_current(headers, held, now):
            return Answer(304, held.brief, held.length, ())
        if b"range" in known and method == "GET" and _range_applies(headers, held, now):
            ranged = _ranged(headers.joined(b"range") or b"", held, boundary)
            if ranged is not None:
                return ranged
    return whole(held)


def whole(held: Representation) -> Answer:
    """Return the response with all of the content."""
    return Answer(200, held.lines, held.length, held.whole)


def _precondition_fails(headers: Headers, held: Representation, now: float) -> bool:
    expected = headers.joined(b"if-match")
    if expected is not None:
        return match_fails(expected, held.etag)
    since = _date(headers, b"if-unmodified-since", now)
    return since is not None and held.modified > since


def _is_current(headers: Headers, held: Representation, now: float) -> bool:
    """True if the client has this content. If-None-Match overrides If-Modified-Since."""
    excluded = headers.joined(b"if-none-match")
    if excluded is not None:
        return none_match_fails(excluded, held.etag)
    since = _date(headers, b"if-modified-since", now)
    return since is not None and held.modified <= since


def _range_applies(headers: Headers, held: Representation, now: float) -> bool:
    """True unless If-Range names other content (RFC 9110 section 13.1.5)."""
    conditions = headers.get_all(b"if-range")
    if not conditions:
        return True
    value = conditions[0].strip(b" \t")
    if len(conditions) > 1:
        return False
    if value.startswith((b'"', b"W/")):
        return same_strongly(value, held.etag)
    return parse_http_date(value, now) == held.modified and now - held.modified >= _STRONG_AFTER


def _date(headers: Headers, name: bytes, now: float) -> int | None:
    """Return the date of a field; None if it is absent, repeated or malformed, and so to be ignored."""
    values = headers.get_all(name)
    return parse_http_date(values[0].strip(b" \t"), now) if len(values) == 1 else None


def _ranged(value: bytes, held: Representation, boundary: bytes) -> Answer | None:
    """Return the response to a Range, None if it is ignored."""
    try:
        ranges = parse_range(value, held.length)
    except UnsatisfiableError:
        return Answer(416, [(b"Content-Range", b"bytes */%d" % held.length)], 0, ())
    if ranges is None:
        return None
    if len(ranges) == 1:
        where = (b"Content-Range", content_range(ranges[0], held.length))
        return Answer(206, [*held.lines, where], ranges[0].length, (ranges[0],))
    layout = multipart(ranges, held.length, held.content_type, boundary)
    kind = (b"Content-Type", b"multipart/byteranges; boundary=" + boundary)
    pieces: list[bytes | ByteRange] = []
    for head, item in layout.parts:
        pieces += (head, item)
    return Answer(206, [kind, *held.lines[1:]], layout.length, (*pieces, layout.closing))
