"""Content encoders. Why these libraries: docs/decisions/compression-libraries.md."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import brotli
import zstandard
from isal import isal_zlib
from zlib_ng import zlib_ng

_GZIP_CONTAINER = 31
_BROTLI_WINDOW = 18
"""Base 2 logarithm: 256 KB, so that an encoder of a slow stream stays small."""

_ZSTD_WINDOW = 19
_ZSTD_SPARE = 16
_ISAL_LEVELS = {1: 1, 2: 2, 3: 2, 4: 2}
"""gzip levels that isal implements, and its level for each; zlib-ng implements the higher ones."""


class Encoder(Protocol):
    """One stream in a content coding."""

    def encode(self, data: bytes) -> bytes:
        """Return the output that is ready."""

    def flush(self) -> bytes:
        """Return output with which everything fed so far can be decoded."""

    def finish(self) -> bytes:
        """Return the last output of the stream. Nothing may be called after it."""


class ContentCoding:
    """A coding at one level: `whole` encodes a body in one call, `encoder` begins a stream."""

    __slots__ = ("encoder", "name", "whole")

    def __init__(self, name: str, whole: Callable[[bytes], bytes], encoder: Callable[[], Encoder]) -> None:
        self.name = name
        self.whole = whole
        self.encoder = encoder


def content_coding(name: str, level: int) -> ContentCoding:
    """Return the coding `gzip` (level 0 to 9), `br` (0 to 11) or `zstd` (1 to 19). Raises KeyError for another."""
    return _CODINGS[name](level)


def _gzip(level: int) -> ContentCoding:
    library: Any = zlib_ng
    if level in _ISAL_LEVELS:
        library, level = isal_zlib, _ISAL_LEVELS[level]
    return ContentCoding(
        "gzip",
        partial(library.compress, level=level, wbits=_GZIP_CONTAINER),
        lambda: _Deflating(library.compressobj(level, zlib.DEFLATED, _GZIP_CONTAINER)),
    )


class _ZlibCompressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self, mode: int = ..., /) -> bytes: ...


class _Deflating:
    __slots__ = ("_compressor", "encode", "finish")

    def __init__(self, compressor: _ZlibCompressor) -> None:
        self._compressor = compressor
        self.encode = compressor.compress
        self.finish = compressor.flush

    def flush(self) -> bytes:
        return self._compressor.flush(zlib.Z_SYNC_FLUSH)


def _br(level: int) -> ContentCoding:
    whole = partial(brotli.compress, mode=brotli.MODE_GENERIC, quality=level, lgwin=_BROTLI_WINDOW)
    return ContentCoding("br", whole, lambda: _Brotli(level))


class _Brotli:
    __slots__ = ("encode", "finish", "flush")

    def __init__(self, level: int) -> None:
        compressor = brotli.Compressor(brotli.MODE_GENERIC, level, _BROTLI_WINDOW)
        self.encode = compressor.process
        self.flush = compressor.flush
        self.finish = compressor.finish


def _zstd(level: int) -> ContentCoding:
    spare = _ZstdSpare(level)
    return ContentCoding("zstd", spare.whole, lambda: _Zstd(spare))


class _ZstdSpare:
    """Compressors that no stream uses: making one costs more than compressing a small body."""

    __slots__ = ("_free", "_parameters")

    def __init__(self, level: int) -> None:
        known = zstandard.ZstdCompressionParameters.from_level(level)
        window = min(known.window_log, _ZSTD_WINDOW)
        self._parameters = zstandard.ZstdCompressionParameters.from_level(level, window_log=window)
        self._free: list[zstandard.ZstdCompressor] = []

    def take(self) -> zstandard.ZstdCompressor:
        return (
            self._free.pop() if self._free else zstandard.ZstdCompressor(compression_params=self._parameters)
        )

    def give_back(self, compressor: zstandard.ZstdCompressor) -> None:
        if len(self._free) < _ZSTD_SPARE:
            self._free.append(compressor)

    def whole(self, body: bytes) -> bytes:
        compressor = self.take()
        encoded = compressor.compress(body)
        self.give_back(compressor)
        return encoded


class _Zstd:
    """A compressor carries one stream at a time, and is given back when that is at its end."""

    __slots__ = ("_compressor", "_spare", "_stream", "encode")

    def __init__(self, spare: _ZstdSpare) -> None:
        self._spare = spare
        self._compressor = spare.take()
        self._stream = self._compressor.compressobj()
        self.encode = self._stream.compress

    def flush(self) -> bytes:
        return self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        tail = self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)
        self._spare.give_back(self._compressor)
        return tail


_CODINGS: dict[str, Callable[[int], ContentCoding]] = {"gzip": _gzip, "br": _br, "zstd": _zstd}
