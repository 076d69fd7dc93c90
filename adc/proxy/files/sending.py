"""A file on its way to a client: by the kernel where it can, else read in pieces, each when the one before is gone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from adc.http.message import Response
from adc.http.ranges import ByteRange
from adc.pools.errors import Failure, Outcome
from adc.proxy.end_reasons import end_reason
from adc.proxy.exchange import Exchange
from adc.proxy.files.served import Content
from adc.proxy.phases import Phase
from adc.proxy.pieces import AT_ONCE, Piece, Pieces
from adc.proxy.upstream.pending import Pending
from adc.proxy.upstream.request import UpstreamRequest

if TYPE_CHECKING:
    from adc.net.file_output import FileOutput

_READ_BYTES: Final = 128 << 10
"""Bytes that are read at once: a cold disk makes the whole worker wait for them."""

_WORTH: Final = 64 << 10
"""Ranges from this size on are sent without being read."""


class FileSending(Pending):
    """The content of a file on its way to a client, or into a cache."""

    __slots__ = ("_content", "_held", "_output", "_pieces", "_running", "_scheduled", "_upstream")

    def __init__(self, upstream: UpstreamRequest, content: Content, pieces: Iterable[Piece]) -> None:
        self.over = False
        self._upstream = upstream
        self._content: Content | None = content
        self._pieces = Pieces(pieces)
        self._output: FileOutput | None = None
        self._held = False
        self._running = False
        self._scheduled = False
        upstream.attempt = self

    def begin(self, response: Response) -> None:
        """Send the head and what the client takes at once."""
        self._upstream.respond(response, b"", False)
        self._run()

    def pause(self) -> None:
        self._held = True

    def resume(self) -> None:
        self._held = False
        self._run()

    def time_out(self, failure: Failure, phase: Phase) -> None:
        self._upstream.fail(failure.status, end_reason(failure), failure.token)

    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        if self.over:
            return
        self.over = True
        self._content = None
        output, self._output = self._output, None
        if output is not None:
            output.close()

    def _run(self) -> None:
        """Send one piece; the next one follows in another loop iteration, so that others have their turn."""
        content = self._content
        if self._running or self._scheduled or self._held or content is None:
            return
        self._running = True
        try:
            self._send(content)
        except OSError as error:
            upstream = self._upstream
            upstream.context.error_log.warn(
                "file_failed", path=content.name.decode("utf-8", "replace"), detail=str(error)
            )
            upstream.fail(500, "file_failed")
        self._running = False

    def _send(self, content: Content) -> None:
        piece = self._pieces.next
        if isinstance(piece, bytes):
            self._pass_on(piece)
        elif not self._pass_file(content, piece):
            self._pass_on(_read(content, piece))

    def _pass_on(self, data: bytes) -> None:
        end = self._pieces.sent(len(data))
        if end:
            self.cancel()
        self._upstream.respond_body(data, end)
        if not end and not self.over:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._continue)

    def _continue(self) -> None:
        self._scheduled = False
        self._run()

    def _pass_file(self, content: Content, piece: ByteRange) -> bool:
        """Have the kernel send what the client takes now; False if the content must be read."""
        exchange = self._upstream
        if content.file is None or not isinstance(exchange, Exchange):
            return False
        if self._output is None and piece.length >= _WORTH and exchange.content_is_final:
            self._output = exchange.stream.file_output(exchange.stream_writable)
        output = self._output
        if output is None:
            return False
        sent = output.send(content.file.number, piece.first, min(AT_ONCE, piece.length))
        exchange.bytes_out += sent
        if self._pieces.sent(sent):
            self.cancel()
            exchange.respond_body(b"", True)
        else:
            output.wait()
            exchange.stream_blocked()
        return True


def _read(content: Content, piece: ByteRange) -> bytes:
    if content.data is not None:
        return content.data[piece.first : piece.last + 1]
    if content.file is None:
        return b""
    data = os.pread(content.file.number, min(_READ_BYTES, piece.length), piece.first)
    if not data:
        raise OSError("the file is shorter than it was")
    return data
