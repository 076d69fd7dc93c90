"""What is known of a file's content before it is read: its validators and the fields that describe it."""

from __future__ import annotations

from typing import Final

from adc.http.dates import http_date
from adc.http.headers import Pair
from adc.http.ranges import ByteRange

_ACCEPT_RANGES: Final = (b"Accept-Ranges", b"bytes")
_VARY: Final = (b"Vary", b"Accept-Encoding")


class Representation:
    """One representation of a resource: the file itself, or a compressed copy in `coding`.

    `etag` is strong: it changes with each file, size and time of change. `modified` is in whole seconds. `lines` are
    the fields of a 200, `brief` those of a 304; `whole` is all of the content as ranges.
    """

    __slots__ = ("brief", "coding", "content_type", "etag", "length", "lines", "modified", "whole")

    def __init__(
        self,
        size: int,
        mtime_ns: int,
        inode: int,
        content_type: bytes,
        coding: str,
        varies: bool,
        further: tuple[Pair, ...],
        now: float,
    ) -> None:
        suffix = f"-{coding}" if coding else ""
        self.coding = coding
        self.content_type = content_type
        self.length = size
        self.whole = (ByteRange(0, size - 1),) if size else ()
        self.etag = f'"{mtime_ns:x}-{size:x}-{inode:x}{suffix}"'.encode()
        self.modified = max(0, min(mtime_ns // 1_000_000_000, int(now)))
        self.brief: list[Pair] = [(b"ETag", self.etag), (b"Last-Modified", http_date(self.modified))]
        if varies:
            self.brief.append(_VARY)
        self.brief.extend(further)
        self.lines: list[Pair] = [(b"Content-Type", content_type), *self.brief, _ACCEPT_RANGES]
        if coding:
            self.lines.append((b"Content-Encoding", coding.encode()))
