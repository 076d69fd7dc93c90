"""Content decoders for clients that do not accept the coding of the member's response.

A few KB can decode to gigabytes, or take long to decode to nothing. Content is therefore decoded in steps that the
caller spreads over loop iterations, and output is compared with input: content that expands beyond `MAX_RATIO` after
the first `FREE_BYTES`, or exceeds `max_bytes`, is rejected before it is produced.
"""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Callable
from typing import IO, cast

import brotli
import zstandard

MAX_RATIO = 100
FREE_BYTES = 1 << 20
MAX_BYTES = 1 << 30
STEP_BYTES = 256 << 10
"""A step ends when it has made this much output; a single call of a library may go over it once."""

STEP_WORK = 64 << 10
"""A step ends when it has read this many bytes of input, of which each member of gzip content costs `_MEMBER` more."""

_MEMBER = 256
_SLICE = 4 << 10
"""Bytes of input per call of a library, which copies the unused rest."""

_AT_ONCE = 64 << 10
_GZIP_CONTAINER = 31
_MAX_WINDOW = 8 << 20
"""The largest window of the zstd content coding (RFC 9659)."""


class DecodeError(Exception):
    """The content is not in its coding, is cut off, or decodes to more than is allowed."""


class Allowance:
    """Counts input and output of one stream."""

    __slots__ = ("_left", "_total")

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._left = FREE_BYTES
        self._total = max_bytes

    def earn(self, count: int) -> None:
        """Allow what `count` more bytes of input may decode to."""
        self._left += count * MAX_RATIO

    def spend(self, count: int) -> None:
        """Count `count` bytes of output. Raises DecodeError above the limits."""
        self._left -= count
        self._total -= count
        if self._left < 0 or self._total < 0:
            raise DecodeError("the content decodes to more than is allowed")


class Decoder:
    """One stream out of a content coding: `feed` input, then `step` while `pending`. Methods raise DecodeError."""

    __slots__ = ("_allowance", "_at", "_input", "_work", "begun")

    def __init__(self, allowance: Allowance) -> None:
        self.begun = False
        self._allowance = allowance
        self._input = b""
        self._at = 0
        self._work = 0

    def feed(self, data: bytes) -> None:
        """Take more input."""
        if data:
            self.begun = True
            self._allowance.earn(len(data))
            self._input = self._input[self._at :] + data
            self._at = 0

    @property
    def pending(self) -> bool:
        """True if another step may produce more output from the input so far."""
        return self._at < len(self._input) or self._holds_output

    def step(self) -> bytes:
        """Return the next output: a bounded amount, made with a bounded amount of work; maybe nothing yet."""
        parts: list[bytes] = []
        made = self._work = 0
        while made < STEP_BYTES and self._work < STEP_WORK and self.pending:
            part = self._decode()
            if part:
                self._allowance.spend(len(part))
                parts.append(part)
                made += len(part)
        return b"".join(parts)

    @abstractmethod
    def finish(self) -> None:
        """Note the end of the content."""

    @property
    @abstractmethod
    def _holds_output(self) -> bool:
        """True if the library may give more output without more input."""

    @abstractmethod
    def _decode(self) -> bytes:
        """Call the library once."""

    def _slice(self, size: int = _SLICE) -> bytes:
        """Return the next bytes of the input, at most `size`."""
        data = self._input[self._at : self._at + size]
        self._at += len(data)
        self._work += len(data)
        return data


class GzipDecoder(Decoder):
    """gzip, of one member or several (RFC 1952 section 2.2)."""

    __slots__ = ("_full", "_left", "_stream")

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance)
        self._stream = zlib.decompressobj(_GZIP_CONTAINER)
        self._left = b""
        self._full = False

    @property
    def _holds_output(self) -> bool:
        return bool(self._left) or self._full

    def _decode(self) -> bytes:
        data = self._left or (b"" if self._full else self._slice())
        stream = self._stream
        if stream.eof:
            stream = self._stream = zlib.decompressobj(_GZIP_CONTAINER)
            self._work += _MEMBER
        try:
            part = stream.decompress(data, _AT_ONCE)
        except zlib.error as error:
            raise DecodeError(f"malformed gzip content: {error}") from error
        self._left = stream.unused_data if stream.eof else stream.unconsumed_tail
        self._full = not stream.eof and len(part) >= _AT_ONCE
        return part

    def finish(self) -> None:
        if self.begun and not self._stream.eof:
            raise DecodeError("gzip content is incomplete")


class BrotliDecoder(Decoder):
    """br (RFC 7932). Bytes after the end of the stream are ignored."""

    __slots__ = ("_holds", "_stream")

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance)
        self._stream = brotli.Decompressor()
        self._holds = False

    @property
    def _holds_output(self) -> bool:
        return self._holds

    def _decode(self) -> bytes:
        stream, data = self._stream, b"" if self._holds else self._slice()
        if stream.is_finished():
            return b""
        try:
            part: bytes = stream.process(data, output_buffer_limit=_AT_ONCE)
        except brotli.error as error:
            raise DecodeError("malformed brotli content") from error
        self._holds = (
            bool(part) and not stream.is_finished()
        )  # only a call that gives nothing shows that no more is left
        return part

    def finish(self) -> None:
        if self.begun and not self._stream.is_finished():
            raise DecodeError("brotli content is incomplete")


class ZstdDecoder(Decoder):
    """zstd (RFC 8878), one frame or several. The library does not report if the last frame is whole.

    The library gives output only when it reads input, so the last byte fed is kept back until all output of the bytes
    before it is out. The output of the last byte fits into one call: at most the rest of a block and another.
    """

    __slots__ = ("_source", "_stream")

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance)
        self._source = _ZstdSource()
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
        self._stream = decompressor.stream_reader(cast(IO[bytes], self._source), read_across_frames=True)

    @property
    def _holds_output(self) -> bool:
        return not self._source.starved

    def _decode(self) -> bytes:
        source = self._source
        if source.starved:
            source.offer(self._slice(min(_SLICE, max(1, len(self._input) - self._at - 1))))
        try:
            count = self._stream.readinto1(_SCRATCH)
        except _Starved:
            return b""
        except zstandard.ZstdError as error:
            raise DecodeError(f"malformed zstd content: {error}") from error
        return bytes(_SCRATCH[:count])

    def finish(self) -> None:
        return


_SCRATCH = memoryview(bytearray(2 * zstandard.BLOCKSIZE_MAX))
"""Output buffer of zstd. One for all streams, because its content is copied at once."""


class _Starved(Exception):
    """There is no input now, but it is not the end either."""


class _ZstdSource:
    """The input of a zstd stream. `starved`: the stream needs more input."""

    __slots__ = ("_data", "starved")

    def __init__(self) -> None:
        self._data = b""
        self.starved = True

    def offer(self, data: bytes) -> None:
        """Take `data` as the next input."""
        self._data = data
        self.starved = not data

    def read(self, size: int) -> bytes:
        """Return the bytes offered. Raises _Starved."""
        data, self._data = self._data, b""
        if not data:
            self.starved = True
            raise _Starved
        return data


_DECODERS: dict[bytes, Callable[[Allowance], Decoder]] = {
    b"gzip": GzipDecoder,
    b"x-gzip": GzipDecoder,
    b"br": BrotliDecoder,
    b"zstd": ZstdDecoder,
}


def decodes(content_encoding: bytes) -> bool:
    """True if `decoder` knows the coding."""
    return content_encoding in _DECODERS


def decoder(content_encoding: bytes, max_bytes: int = MAX_BYTES) -> Decoder | None:
    """Return a decoder for a Content-Encoding value (lower-case), None if it is unknown or names several."""
    make = _DECODERS.get(content_encoding)
    return None if make is None else make(Allowance(max_bytes))
