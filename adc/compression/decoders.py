"""Content decoders for clients that do not take the coding a member chose.

A few KB can decode to gigabytes. Output is therefore made in bounded steps and counted against the input:
what expands beyond `MAX_RATIO` after the first `FREE_BYTES`, or is larger than `max_bytes`, is refused
before it is made.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import IO, Protocol, cast

import brotli
import zstandard

MAX_RATIO = 100
FREE_BYTES = 1 << 20
MAX_BYTES = 1 << 30
_STEP = 64 << 10
_GZIP_CONTAINER = 31
_MAX_WINDOW = 8 << 20
"""The largest window of the zstd content coding (RFC 9659)."""


class DecodeError(Exception):
    """The content is not in its coding, is cut off, or decodes to more than is allowed."""


class Decoder(Protocol):
    """One stream out of a content coding. Methods raise DecodeError."""

    def decode(self, data: bytes) -> bytes:
        """Everything that `data` makes decodable."""

    def finish(self) -> None:
        """The content is at its end."""


class Allowance:
    """Counts input and output of one stream."""

    __slots__ = ("_left", "_total")

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._left = FREE_BYTES
        self._total = max_bytes

    def earn(self, count: int) -> None:
        """`count` bytes came in."""
        self._left += count * MAX_RATIO

    def spend(self, count: int) -> None:
        """`count` bytes came out. Raises DecodeError beyond what is allowed."""
        self._left -= count
        self._total -= count
        if self._left < 0 or self._total < 0:
            raise DecodeError("the content decodes to more than is allowed")


class GzipDecoder:
    """gzip, of one member or several (RFC 1952 section 2.2)."""

    __slots__ = ("_allowance", "_fed", "_stream")

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._stream = zlib.decompressobj(_GZIP_CONTAINER)
        self._fed = False

    def decode(self, data: bytes) -> bytes:
        self._allowance.earn(len(data))
        self._fed = self._fed or bool(data)
        parts: list[bytes] = []
        try:
            while data:
                if self._stream.eof:
                    self._stream = zlib.decompressobj(_GZIP_CONTAINER)
                data = self._drain(data, parts)
        except zlib.error as error:
            raise DecodeError(f"malformed gzip content: {error}") from error
        return b"".join(parts)

    def _drain(self, data: bytes, parts: list[bytes]) -> bytes:
        """Decode to the end of `data` or of a gzip member, whatever comes first; what is left of `data`."""
        stream = self._stream
        while True:
            part = stream.decompress(data, _STEP)
            self._allowance.spend(len(part))
            parts.append(part)
            if stream.eof:
                left: bytes = stream.unused_data
                return left
            data = stream.unconsumed_tail
            if not data and len(part) < _STEP:
                return b""

    def finish(self) -> None:
        if self._fed and not self._stream.eof:
            raise DecodeError("gzip content is cut off")


class BrotliDecoder:
    """br (RFC 7932)."""

    __slots__ = ("_allowance", "_fed", "_stream")

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._stream = brotli.Decompressor()
        self._fed = False

    def decode(self, data: bytes) -> bytes:
        self._allowance.earn(len(data))
        self._fed = self._fed or bool(data)
        parts: list[bytes] = []
        try:
            while part := self._stream.process(data, output_buffer_limit=_STEP):
                self._allowance.spend(len(part))
                parts.append(part)
                if self._stream.is_finished():
                    break
                data = b""
        except brotli.error as error:
            raise DecodeError("malformed brotli content") from error
        return b"".join(parts)

    def finish(self) -> None:
        if self._fed and not self._stream.is_finished():
            raise DecodeError("brotli content is cut off")


class ZstdDecoder:
    """zstd (RFC 8878), one frame or several. The library does not tell whether the last frame is whole."""

    __slots__ = ("_allowance", "_parts", "_stream")

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._parts: list[bytes] = []
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
        self._stream = decompressor.stream_writer(cast(IO[bytes], self), write_size=_STEP, closefd=False)

    def write(self, part: bytes) -> int:
        """Takes what the library has decoded, a step at a time."""
        self._allowance.spend(len(part))
        self._parts.append(bytes(part))
        return len(part)

    def decode(self, data: bytes) -> bytes:
        self._allowance.earn(len(data))
        try:
            self._stream.write(data)
        except zstandard.ZstdError as error:
            raise DecodeError(f"malformed zstd content: {error}") from error
        decoded = b"".join(self._parts)
        self._parts.clear()
        return decoded

    def finish(self) -> None:
        return


_DECODERS: dict[bytes, Callable[[Allowance], Decoder]] = {
    b"gzip": GzipDecoder,
    b"x-gzip": GzipDecoder,
    b"br": BrotliDecoder,
    b"zstd": ZstdDecoder,
}


def decoder(content_encoding: bytes, max_bytes: int = MAX_BYTES) -> Decoder | None:
    """A decoder for a Content-Encoding value (lower-case), None if it is unknown or names several."""
    make = _DECODERS.get(content_encoding)
    return None if make is None else make(Allowance(max_bytes))
