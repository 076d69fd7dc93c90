"""A file on its way to a client, or into a cache."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from adc.http.ranges import ByteRange
from adc.proxy.files.served import Content
from adc.proxy.pieces import Piece
from adc.proxy.sending import Place, Sending
from adc.proxy.upstream.request import UpstreamRequest

_READ_BYTES: Final = 128 << 10
"""Bytes that are read at once: a cold disk makes the whole worker wait for them."""


class FileSending(Sending):
    """Sends parts of a file."""

    __slots__ = ("_content",)

    def __init__(self, upstream: UpstreamRequest, content: Content, pieces: Iterable[Piece]) -> None:
        super().__init__(upstream, pieces)
        self._content: Content | None = content

    def place(self) -> Place | None:
        content = self._content
        return None if content is None or content.file is None else Place(content.file.number, 0)

    def read(self, piece: ByteRange) -> bytes:
        content = self._content
        assert content is not None
        if content.data is not None:
            return content.data[piece.first : piece.last + 1]
        if content.file is None:
            return b""
        data = os.pread(content.file.number, min(_READ_BYTES, piece.length), piece.first)
        if not data:
            raise OSError("the file is shorter than it was")
        return data

    def failed(self, error: OSError) -> None:
        name = b"" if self._content is None else self._content.name
        upstream = self._upstream
        upstream.context.error_log.warn(
            "file_failed", path=name.decode("utf-8", "replace"), detail=str(error)
        )
        upstream.fail(500, "file_failed")

    def release(self) -> None:
        self._content = None
