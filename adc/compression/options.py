"""Options of a route's compression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

DEFAULT_LEVELS: Mapping[str, int] = {"gzip": 4, "br": 4, "zstd": 3}


class CompressionOptions:
    """Policy of one route.

    `codings` are offered, the preferred one first (of `zstd`, `br`, `gzip`); `min_size` is in bytes;
    `content_types` are media types (`text/html`), all of a type (`text/*`), or all of a type with a suffix
    (`application/*+json`, RFC 6838 section 4.2.8), lower-case; `levels` is the effort of each coding.
    """

    __slots__ = ("_essences", "_suffixes", "_types", "codings", "levels", "min_size")

    def __init__(
        self,
        codings: Iterable[str] = ("zstd", "br", "gzip"),
        min_size: int = 1024,
        content_types: Iterable[str] = ("text/*",),
        levels: Mapping[str, int] = DEFAULT_LEVELS,
    ) -> None:
        named = [each.encode() for each in content_types]
        self.codings = tuple(codings)
        self.min_size = min_size
        self.levels = dict(levels)
        self._types = frozenset(each[:-2] for each in named if each.endswith(b"/*"))
        self._suffixes = frozenset(each for each in named if b"/*+" in each)
        self._essences = frozenset(each for each in named if b"/*" not in each)

    def covers(self, content_type: bytes) -> bool:
        """True if content of this Content-Type is to be compressed."""
        essence = content_type.partition(b";")[0].strip(b" \t").lower()
        if essence in self._essences:
            return True
        kind = essence.partition(b"/")[0]
        return kind in self._types or b"%b/*+%b" % (kind, essence.rpartition(b"+")[2]) in self._suffixes
