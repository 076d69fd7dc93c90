"""Options of a route's compression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adc.http.media_types import MediaTypes

DEFAULT_LEVELS: Mapping[str, int] = {"gzip": 4, "br": 4, "zstd": 3}


class CompressionOptions:
    """Policy of one route.

    `codings` are offered, the preferred one first (of `zstd`, `br`, `gzip`); `min_size` is in bytes;
    `content_types` are those of `MediaTypes`; `covers` tells if it has a Content-Type; `levels` is the effort of each
    coding.
    """

    __slots__ = ("codings", "covers", "levels", "min_size")

    def __init__(
        self,
        codings: Iterable[str] = ("zstd", "br", "gzip"),
        min_size: int = 1024,
        content_types: Iterable[str] = ("text/*",),
        levels: Mapping[str, int] = DEFAULT_LEVELS,
    ) -> None:
        self.codings = tuple(codings)
        self.min_size = min_size
        self.levels = dict(levels)
        self.covers = MediaTypes(content_types).covers
