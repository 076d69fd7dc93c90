"""Joining partial responses (RFC 9111 section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adc.cache.entry import Entry
from adc.http.headers import Headers
from adc.http.preconditions import same_strongly
from adc.http.ranges import ContentRange, content_range, join_bytes, joined


def joinable(newer: Entry, stored: Sequence[Entry], limit: int) -> list[Entry]:
    """Return the parts in `stored` that touch `newer` and fit into `limit` bytes with it: worth loading to be
    `combined`."""
    return [other for other in stored if _same_representation(newer, other) and _touch(newer, other, limit)]


def _touch(one: Entry, other: Entry, limit: int) -> bool:
    if one.part is None or other.part is None:
        return False
    part = joined(other.part, one.part)
    return part is not None and part.length <= limit


def combined(newer: Entry, stored: Sequence[Entry], limit: int) -> Entry:
    """Return `newer`, a part whose body is bytes, extended by the parts in `stored` of the same representation.

    Only parts in memory with the same strong entity tag and request values are joined, up to `limit` bytes. All fields
    are those of `newer`. The result is a complete 200 once nothing is missing, and `newer` itself if nothing fits.
    """
    for other in stored:
        if not _same_representation(newer, other):
            continue
        if newer.part is None or other.part is None or not isinstance(other.body, bytes):
            continue
        part = joined(other.part, newer.part)
        if part is None or part.length > limit or not isinstance(newer.body, bytes):
            continue
        newer = _with_part(newer, part, join_bytes(other.part, other.body, newer.part, newer.body))
    return newer


def coexists(entry: Entry, old: Entry) -> bool:
    """True if `old`, chosen for the same request before, is still useful beside the newer `entry`, or was replaced by
    it already.

    With another Vary, or parts of another version, `old` would be chosen again in place of the newer entry.
    """
    if entry.varying != old.varying:
        return False
    return entry.part is None or entry.part == old.part or _same_representation(entry, old)


def _same_representation(one: Entry, other: Entry) -> bool:
    if one.etag is None or other.etag is None or one.varying != other.varying or one.key != other.key:
        return False
    return same_strongly(one.etag, other.etag)


def _with_part(entry: Entry, part: ContentRange, body: bytes) -> Entry:
    lines = [pair for pair in entry.headers if pair[0].lower() != b"content-range"]
    if part.total == part.length:
        return replace(
            entry,
            status=200,
            reason=b"OK",
            headers=Headers(lines),
            part=None,
            body=body,
            length=len(body),
        )
    where = (b"Content-Range", content_range(part, part.total))
    return replace(entry, headers=Headers([*lines, where]), part=part, body=body, length=len(body))
