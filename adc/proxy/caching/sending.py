"""Stored content on its way to a client: cut into pieces, each sent when the client has taken the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adc.cache.files import FileBody
from adc.cache.loans import Loans
from adc.http.message import Response
from adc.http.ranges import ByteRange
from adc.proxy.caching.local_response import LocalResponse
from adc.proxy.exchange import Exchange
from adc.proxy.pieces import AT_ONCE, Piece, Pieces

if TYPE_CHECKING:
    from adc.net.file_output import FileOutput

_WORTH = 64 << 10
"""Ranges of a file from this size on are sent without being read."""


class Content:
    """Content in memory, read like a file, and lent by the store until it is closed."""

    __slots__ = ("_data", "_loans")

    def __init__(self, data: object, loans: Loans) -> None:
        self._data = data if isinstance(data, bytes) else b""
        self._loans: Loans | None = loans
        loans.lend(self._data)

    def read_at(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from `start`."""
        return self._data[start : start + size]

    def close(self) -> None:
        """Give it back."""
        loans, self._loans = self._loans, None
        if loans is not None:
            loans.give_back(self._data)
            self._data = b""


class Sending(LocalResponse):
    """Stored content on its way to a client, as fast as that takes it."""

    __slots__ = ("_body", "_held", "_output", "_pieces", "_running")

    def __init__(self, exchange: Exchange, body: FileBody | Content, pieces: list[Piece]) -> None:
        super().__init__(exchange)
        self._body = body
        self._pieces = Pieces(pieces)
        self._output: FileOutput | None = None
        self._held = False
        self._running = False

    def begin(self, response: Response) -> None:
        """Send the head and what the client takes at once."""
        self.exchange.respond(response, b"", False)
        self._run()

    def pause(self) -> None:
        self._held = True

    def resume(self) -> None:
        self._held = False
        self._run()

    def _run(self) -> None:
        if self._running:  # called while a piece is sent
            return
        self._running = True
        while not (self._held or self.over):
            self._send_next()
        self._running = False

    def _send_next(self) -> None:
        piece = self._pieces.next
        try:
            if isinstance(piece, bytes):
                self._pass_on(piece)
            elif not self._pass_file(piece):
                self._pass_on(self._read(piece))
        except OSError as error:
            self.exchange.context.error_log.warn("cache_read_failed", detail=str(error))
            self.exchange.fail(502, "cache_failed")

    def _read(self, piece: ByteRange) -> bytes:
        data = self._body.read_at(piece.first, min(AT_ONCE, piece.length))
        if not data:
            raise OSError("stored content is shorter than it was")
        return data

    def _pass_on(self, data: bytes) -> None:
        end = self._pieces.sent(len(data))
        if end:
            self.cancel()
        self.exchange.respond_body(data, end)

    def _pass_file(self, piece: ByteRange) -> bool:
        """Send of a file what the client takes now, then let others have their turn; False if it must be read."""
        exchange, body = self.exchange, self._body
        if not isinstance(body, FileBody):
            return False
        if self._output is None and piece.length >= _WORTH and exchange.content_is_final:
            self._output = exchange.stream.file_output(exchange.stream_writable)
        if self._output is None:
            return False
        sent = self._output.send(body.fd, body.offset + piece.first, min(AT_ONCE, piece.length))
        exchange.bytes_out += sent
        if self._pieces.sent(sent):
            self.cancel()
            exchange.respond_body(b"", True)
        else:
            self._output.wait()
            exchange.stream_blocked()
        return True

    def left(self) -> None:
        if self._output is not None:
            self._output.close()
        self._body.close()
