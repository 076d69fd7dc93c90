"""Range, Content-Range, and byte ranges cut from or joined to stored content (RFC 9110 section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from adc.http.cache_control import split_list

MAX_RANGES = 16
"""A request for more ranges than this gets the whole content (RFC 9110 section 14.2, 17.15)."""

_SPEC = re.compile(rb"([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18})")
_CONTENT_RANGE = re.compile(rb"bytes[ \t]+([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", re.IGNORECASE)


class ByteRange(NamedTuple):
    """Offsets of the first and the last byte, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Return the range of a 206 in a whole of `total` bytes (None if unknown)."""

    first: int
    last: int
    total: int | None

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class UnsatisfiableError(ValueError):
    """No requested range lies inside the content: 416 (RFC 9110 section 15.5.17)."""


def parse_range(value: bytes, length: int) -> list[ByteRange] | None:
    """Return the satisfiable ranges of a Range field for content of `length` bytes.

    None if the field is to be ignored: another unit, bad syntax, too many ranges, or ranges that overlap.
    Raises UnsatisfiableError.
    """
    specs = _specs(value)
    if specs is None:
        return None
    found = [item for spec in specs if (item := _resolve(spec, length)) is not None]
    if not found:
        raise UnsatisfiableError(value.decode("latin-1"))
    return None if _overlap(found) else found


def _specs(value: bytes) -> list[re.Match[bytes]] | None:
    """Return the ranges that a field names, at most MAX_RANGES; None if it is to be ignored."""
    unit, equals, text = value.partition(b"=")
    if not equals or unit.strip(b" \t").lower() != b"bytes":
        return None
    items = split_list(text, MAX_RANGES + 1)
    specs = [spec for item in items if (spec := _SPEC.fullmatch(item)) is not None]
    if not specs or len(specs) < len(items) or len(items) > MAX_RANGES:
        return None
    backwards = any(spec[2] and int(spec[2]) < int(spec[1]) for spec in specs)
    return None if backwards else specs


def _resolve(match: re.Match[bytes], length: int) -> ByteRange | None:
    if match[3]:
        suffix = min(int(match[3]), length)
        return ByteRange(length - suffix, length - 1) if suffix else None
    first = int(match[1])
    last = min(int(match[2]), length - 1) if match[2] else length - 1
    return ByteRange(first, last) if first < length else None


def _overlap(ranges: list[ByteRange]) -> bool:
    ordered = sorted(ranges, key=_first)
    return any(after.first <= before.last for before, after in pairwise(ordered))


def _first(item: ByteRange) -> int:
    return item.first


def parse_content_range(value: bytes) -> ContentRange | None:
    """Return a satisfied Content-Range, None if it is not one or contradicts itself."""
    match = _CONTENT_RANGE.fullmatch(value.strip(b" \t"))
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == b"*" else int(match[3])
    if last < first or (total is not None and last >= total):
        return None
    return ContentRange(first, last, total)


def content_range(item: ByteRange | ContentRange, total: int | None) -> bytes:
    """Return the Content-Range value for one part of `total` bytes."""
    return b"bytes %d-%d/%b" % (item.first, item.last, b"*" if total is None else b"%d" % total)


def within(part: ContentRange, asked: bytes) -> ByteRange | None:
    """Return the single requested range if all of it lies in the stored part, None otherwise.

    Without a known total, only a range with both ends can be checked.
    """
    specs = _specs(asked)
    if specs is None or len(specs) > 1:
        return None
    if part.total is not None:
        item = _resolve(specs[0], part.total)
    else:
        item = ByteRange(int(specs[0][1]), int(specs[0][2])) if specs[0][2] else None
    return item if item is not None and part.first <= item.first and item.last <= part.last else None


def joined(one: ContentRange, other: ContentRange) -> ContentRange | None:
    """Return the single part that two parts of one representation make, None if a gap is between them."""
    if one.total is not None and other.total is not None and one.total != other.total:
        return None
    if max(one.first, other.first) > min(one.last, other.last) + 1:
        return None
    total = other.total if one.total is None else one.total
    return ContentRange(min(one.first, other.first), max(one.last, other.last), total)


def join_bytes(one: ContentRange, one_body: bytes, other: ContentRange, other_body: bytes) -> bytes:
    """Return the content of `joined(one, other)`, which must not be None; `other` supplies the overlap."""
    before = one_body[: max(0, other.first - one.first)]
    after = one_body[max(0, other.last + 1 - one.first) :] if one.last > other.last else b""
    return before + other_body + after


@dataclass(frozen=True, slots=True)
class Multipart:
    """A multipart/byteranges response: each part's head, its range, and the closing text (RFC 9110 section 14.6)."""

    parts: tuple[tuple[bytes, ByteRange], ...]
    closing: bytes
    boundary: bytes

    @property
    def length(self) -> int:
        return sum(len(head) + item.length for head, item in self.parts) + len(self.closing)


def multipart(ranges: list[ByteRange], total: int, content_type: bytes | None, boundary: bytes) -> Multipart:
    """Lay out several ranges. `boundary` must not occur in the content: give it 128 random bits."""
    lines = b"" if content_type is None else b"Content-Type: " + content_type + b"\r\n"
    parts = tuple(
        (
            b"\r\n--%b\r\n%bContent-Range: %b\r\n\r\n" % (boundary, lines, content_range(item, total)),
            item,
        )
        for item in ranges
    )
    return Multipart(parts, b"\r\n--%b--\r\n" % boundary, boundary)
