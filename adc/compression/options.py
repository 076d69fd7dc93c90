"""What an operator may say about the compression of a route."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

DEFAULT_LEVELS: Mapping[str, int] = {"gzip": 4, "br": 4, "zstd": 3}


class CompressionOptions:
    """Policy of one route.

    `codings` are offered, the preferred one first (of `zstd`, `br`, `gzip`); `min_size` is in bytes;
    `content_types` are media types (`text/html`) or all of a type (`text/*`), lower-case; `levels` is the
    effort of each coding.
    """

    __slots__ = ("_essences", "_types", "codings", "levels", "min_size")

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
        self._essences = frozenset(each for each in named if not each.endswith(b"/*"))

    def covers(self, content_type: bytes) -> bool:
        """Whether content of this Content-Type is to be compressed."""
        essence = content_type.partition(b";")[0].strip(b" \t").lower()
        return essence in self._essences or essence.partition(b"/")[0] in self._types
