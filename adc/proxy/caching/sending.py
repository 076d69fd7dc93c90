"""Stored content on its way to a client."""

from __future__ import annotations

from collections.abc import Iterable

from adc.cache.files import FileBody
from adc.cache.loans import Loans
from adc.http.ranges import ByteRange
from adc.proxy.exchange import Exchange
from adc.proxy.pieces import AT_ONCE, Piece
from adc.proxy.sending import Place, Sending


class Content:
    """Content in memory, read like a file, and lent by the store until it is closed."""

    __slots__ = ("_data", "_loans")

    def __init__(self, data: object, loans: Loans) -> None:
        self._data = data if isinstance(data, bytes) else b""
        self._loans: Loans | None = loans
        loans.lend(self._data)

    def read_at(self, start: int, size: int) -> bytes:
        """Return up to `size` bytes from `start`."""
        return self._data[start : start + size]

    def close(self) -> None:
        """Give it back."""
        loans, self._loans = self._loans, None
        if loans is not None:
            loans.give_back(self._data)
            self._data = b""


class StoredSending(Sending):
    """Sends parts of stored content."""

    __slots__ = ("_body",)

    def __init__(self, exchange: Exchange, body: FileBody | Content, pieces: Iterable[Piece]) -> None:
        super().__init__(exchange, pieces)
        self._body = body

    def place(self) -> Place | None:
        body = self._body
        return Place(body.fd, body.offset) if isinstance(body, FileBody) else None

    def read(self, piece: ByteRange) -> bytes:
        data = self._body.read_at(piece.first, min(AT_ONCE, piece.length))
        if not data:
            raise OSError("stored content is shorter than it was")
        return data

    def failed(self, error: OSError) -> None:
        self._upstream.context.error_log.warn("cache_read_failed", detail=str(error))
        self._upstream.fail(502, "cache_failed")

    def release(self) -> None:
        self._body.close()
