"""The response that a stored one makes for a request: whole, part, parts, 304 or 416."""

from __future__ import annotations

from typing import NamedTuple

from adc.cache.entry import Entry
from adc.cache.preconditions import asked_range, not_modified
from adc.http.headers import Pair
from adc.http.message import Request
from adc.http.ranges import (
    ByteRange,
    Multipart,
    UnsatisfiableError,
    content_range,
    multipart,
    parse_range,
    within,
)

_IN_NOT_MODIFIED = frozenset(
    {b"cache-control", b"cdn-cache-control", b"content-location", b"date", b"etag", b"expires", b"vary"}
)
_IN_UNSATISFIED = frozenset({b"date", b"etag", b"last-modified", b"vary", b"cache-control"})


class Answer(NamedTuple):
    """Status, field lines (with Age, without Content-Length and Cache-Status) and the content to send.

    `span` is the part of the entry's body (offsets into the body as stored) to send, None for no content; `parts` is
    set for several ranges. `length` is the Content-Length to announce, None for a 304.
    """

    status: int
    reason: bytes
    headers: tuple[Pair, ...]
    length: int | None
    span: ByteRange | None
    parts: Multipart | None = None


def answer(request: Request, entry: Entry, now: float, boundary: bytes) -> Answer:
    """Answer `request` (GET or HEAD) from `entry`. `boundary` separates parts if several ranges are requested; without
    one a Range is ignored.

    The response is a 304 if the client's copy is current (RFC 9111 section 4.3.2); ranges follow RFC 9110 section 14.
    """
    headers = request.headers
    age = (b"Age", b"%d" % int(entry.terms.age(now)))
    if not_modified(headers, entry, now):
        return _not_modified(entry, age)
    asked = asked_range(headers, entry, now) if boundary and request.method == "GET" else None
    ranged = None if asked is None else _ranged(asked, entry, age, boundary)
    return _whole(request, entry, age) if ranged is None else ranged


def _whole(request: Request, entry: Entry, age: Pair) -> Answer:
    span = ByteRange(0, entry.length - 1) if entry.length and request.method != "HEAD" else None
    return Answer(entry.status, entry.reason, (*entry.headers.pairs, age), entry.length, span)


def _not_modified(entry: Entry, age: Pair) -> Answer:
    lines = [pair for pair in entry.headers if pair[0].lower() in _IN_NOT_MODIFIED]
    if entry.etag is None:
        lines += [pair for pair in entry.headers if pair[0].lower() == b"last-modified"]
    return Answer(304, b"Not Modified", (*lines, age), None, None)


def _ranged(value: bytes, entry: Entry, age: Pair, boundary: bytes) -> Answer | None:
    """Return the response to a Range, None if it is ignored."""
    if entry.part is not None:
        item = within(entry.part, value)
        return None if item is None else _part(entry, item, age, entry.part.first, entry.part.total)
    if entry.status != 200:
        return None
    try:
        ranges = parse_range(value, entry.length)
    except UnsatisfiableError:
        return _unsatisfied(entry, age)
    if ranges is None:
        return None
    if len(ranges) == 1:
        return _part(entry, ranges[0], age, 0, entry.length)
    return _parts(entry, ranges, age, boundary)


def _part(entry: Entry, item: ByteRange, age: Pair, offset: int, total: int | None) -> Answer:
    lines = [pair for pair in entry.headers if pair[0].lower() != b"content-range"]
    where = (b"Content-Range", content_range(item, total))
    span = ByteRange(item.first - offset, item.last - offset)
    return Answer(206, b"Partial Content", (*lines, where, age), item.length, span)


def _parts(entry: Entry, ranges: list[ByteRange], age: Pair, boundary: bytes) -> Answer:
    layout = multipart(ranges, entry.length, entry.headers.get(b"content-type"), boundary)
    lines = [pair for pair in entry.headers if pair[0].lower() != b"content-type"]
    kind = (b"Content-Type", b"multipart/byteranges; boundary=" + boundary)
    return Answer(206, b"Partial Content", (*lines, kind, age), layout.length, None, layout)


def _unsatisfied(entry: Entry, age: Pair) -> Answer:
    lines = [pair for pair in entry.headers if pair[0].lower() in _IN_UNSATISFIED]
    where = (b"Content-Range", b"bytes */%d" % entry.length)
    return Answer(416, b"Range Not Satisfiable", (*lines, where, age), 0, None)
