"""Answering from a stored response."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from adc.cache.answer import Answer, answer
from adc.cache.entry import Entry
from adc.cache.files import FileBody
from adc.cache.ranges import ByteRange
from adc.http.headers import Headers, Pair
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.proxy.caching.source import Source

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange

AT_ONCE = 256 << 10
"""Bytes of content handed to the client's connection in one piece."""

Piece = bytes | ByteRange
"""Content to send: text made here, or part of the entry's body."""


def serve(
    exchange: Exchange, entry: Entry, cache_status: bytes, now: float, own: tuple[Pair, ...] = ()
) -> None:
    """Answer from `entry`, whose content is loaded, at `now` (wall seconds), with `Cache-Status` and the
    lines `own`.

    Content on disk, and what is long, is sent piece by piece as the client takes it.
    """
    request = exchange.request
    boundary = os.urandom(16).hex().encode() if b"range" in request.headers else b""
    made = answer(request, entry, now, boundary)
    length = UNKNOWN_LENGTH if made.length is None else made.length
    headers = Headers((*made.headers, *own, (b"Cache-Status", cache_status)))
    response = Response(made.status, headers, made.reason, length, dated=True)
    pieces = _pieces(made)
    body = entry.body
    if isinstance(body, bytes) and len(body) <= AT_ONCE and len(pieces) <= 1:
        exchange.respond(response, body[made.span.first : made.span.last + 1] if made.span else b"", True)
        return
    if not pieces:
        exchange.respond(response, b"", True)
        if isinstance(body, FileBody):
            body.close()
        return
    Sending(exchange, body if isinstance(body, FileBody) else Content(body), pieces).begin(response)


def _pieces(made: Answer) -> list[Piece]:
    if made.parts is None:
        return [] if made.span is None else [made.span]
    pieces: list[Piece] = []
    for head, span in made.parts.parts:
        pieces += (head, span)
    return [*pieces, made.parts.closing]


class Content:
    """Content in memory, read like a file."""

    __slots__ = ("_data",)

    def __init__(self, data: object) -> None:
        self._data = data if isinstance(data, bytes) else b""

    def read_at(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from `start`."""
        return self._data[start : start + size]

    def close(self) -> None:
        """Let go of it."""
        self._data = b""


class Sending(Source):
    """Stored content on its way to a client, as fast as that takes it."""

    __slots__ = ("_body", "_held", "_pieces", "_running")

    def __init__(self, exchange: Exchange, body: FileBody | Content, pieces: list[Piece]) -> None:
        super().__init__(exchange)
        self._body = body
        self._pieces = _slices(body, pieces)
        self._held = False
        self._running = False

    def begin(self, response: Response) -> None:
        """Send the head and what the client takes at once."""
        self.exchange.respond(response, b"", False)
        self.resume_reading()

    def pause_reading(self) -> None:
        self._held = True

    def resume_reading(self) -> None:
        self._held = False
        if self._running:  # told from within the sending of a piece
            return
        self._running = True
        while not (self._held or self.over):
            self._send_next()
        self._running = False

    def _send_next(self) -> None:
        exchange = self.exchange
        try:
            data, end = next(self._pieces)
        except OSError as error:
            exchange.service.error_log.warn("cache_read_failed", detail=str(error))
            exchange.fail(502, "cache_failed")
            return
        if end:
            self.finish()
            self._body.close()
        exchange.respond_body(data, end)

    def left(self) -> None:
        self._body.close()


def _slices(body: FileBody | Content, pieces: list[Piece]) -> Iterator[tuple[bytes, bool]]:
    """The bytes of `pieces`, at most AT_ONCE at a time, each with whether it is the last.

    Raises OSError if the content is shorter than it should be.
    """
    for number, piece in enumerate(pieces, 1):
        last = number == len(pieces)
        if isinstance(piece, bytes):
            yield piece, last
            continue
        start, stop = piece.first, piece.last + 1
        while start < stop:
            data = body.read_at(start, min(AT_ONCE, stop - start))
            if not data:
                raise OSError("stored content is shorter than it was")
            start += len(data)
            yield data, last and start == stop
