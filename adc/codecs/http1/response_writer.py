"""Responses on a client's connection: one write per message."""

from __future__ import annotations

from abc import abstractmethod
from math import inf
from typing import Final

from librt.strings import BytesWriter

from adc.codecs.http1 import heads
from adc.codecs.http1.request_reader import RequestReader
from adc.codecs.http1.settings import Http1Settings
from adc.codecs.http1.states import BODY, CHUNKED, DISCARD, PIPELINED, TUNNEL, UPGRADING
from adc.http.headers import Pair
from adc.http.message import UNKNOWN_LENGTH, Request, Response
from adc.net.batched_writer import BatchedWriter

_JOIN_BYTES: Final = 16 << 10
_NO_CONTENT: Final = frozenset({204, 304})


class ResponseWriter(RequestReader):
    """Writes the response to the current request.

    `_offer` is the request if it offers to switch protocols: what lies behind it belongs to another protocol and waits
    for the response. `_leaving`: the connection closes after the current response. `_unframed`: that close alone shows
    the end of the response.
    """

    __slots__ = (
        "_keep_alive",
        "_leaving",
        "_offer",
        "_respond_chunked",
        "_send_content",
        "_takes_trailers",
        "_transport",
        "_unframed",
        "_version",
    )

    def __init__(self, settings: Http1Settings) -> None:
        super().__init__(settings)
        self._transport = BatchedWriter(settings.batch)
        self._keep_alive = True
        self._leaving = False
        self._offer: Request | None = None
        self._respond_chunked = False
        self._send_content = True
        self._takes_trailers = False
        self._unframed = False
        self._version = "1.1"

    @abstractmethod
    def _finish(self) -> None:
        """End a complete response."""

    @abstractmethod
    def _end_tunnel(self) -> None:
        """End the direction to the client of a tunnel."""

    def send_informational(self, response: Response) -> None:
        if self._version == "1.1" and not self._transport.is_closing():
            lines = response.headers.pairs
            self._transport.write(heads.response_head(response.status, response.reason, lines, b"\r\n"))

    def send_head(self, response: Response, body: bytes, end: bool) -> None:
        written = response.written
        if written and end and not response.dated and self._adds_nothing and 0 < len(body) <= _JOIN_BYTES:
            self._transport.write(b"%b%b\r\n%b" % (written, self._settings.clock.date_line, body))
            self._finish()
            return
        status, length = response.status, response.body_length
        if status == 101:
            self._switch(response, body)
            return
        if self._offer is not None:
            self._decline(self._offer)
        if self._half_closed:
            self.deadline = inf  # what is written shows whether the client is there
        content = self._send_content and status not in _NO_CONTENT
        if response.written:
            head = BytesWriter()
            head.write(response.written)
        else:
            head = heads.begin_response(status, response.reason, response.headers.pairs)
            if response.shared:
                head.write(b"Content-Length: %d\r\n" % length)
                response.written = head.getvalue()
        if not response.dated:
            head.write(self._settings.clock.date_line)
        if length != UNKNOWN_LENGTH:
            if status != 204 and not response.shared:
                head.write(b"Content-Length: %d\r\n" % length)
        elif content:
            head.write(self._frame(len(body), end, response.trailer))
        if self._leaving or self._state == DISCARD or (end and self._state in (BODY, CHUNKED)):
            self._keep_alive = False
        if response.upgrade:
            head.write(_offered(response.upgrade, self._keep_alive))
        elif not self._keep_alive:
            head.write(b"Connection: close\r\n")
        elif self._version == "1.0":
            head.write(b"Connection: keep-alive\r\n")
        head.write(b"\r\n")
        if content and body:
            self._write_first(head, body)
        else:
            self._transport.write(head.getvalue())
        if end:
            self._finish()

    @property
    def _adds_nothing(self) -> bool:
        """True if the connection adds no field to a response, and goes on behind it."""
        return (
            self._state == PIPELINED
            and self._keep_alive
            and self._send_content
            and not self._leaving
            and not self._half_closed
            and self._offer is None
            and self._version == "1.1"
        )

    def _write_first(self, head: BytesWriter, body: bytes) -> None:
        """Write a head and the first of the content."""
        chunked = self._respond_chunked
        if chunked:
            head.write(heads.chunk(body))
        if len(body) > _JOIN_BYTES:
            parts = (head.getvalue(), body)
            self._transport.writelines((*parts, b"\r\n") if chunked else parts)
            return
        head.write(body)
        if chunked:
            head.write(b"\r\n")
        self._transport.write(head.getvalue())

    def _switch(self, response: Response, body: bytes) -> None:
        """Agree to another protocol; `body` are its first bytes."""
        last = b"Connection: upgrade\r\nUpgrade: %b\r\n\r\n" % response.upgrade
        head = heads.response_head(101, response.reason, response.headers.pairs, last)
        self._transport.write(head + body)
        if self._state == BODY:
            self._state = UPGRADING
        else:
            self._state = TUNNEL
            self._pass_unread()

    def _decline(self, offered: Request) -> None:
        """Go on with requests, as the response is no switch, unless bytes of another protocol came before it."""
        self._offer = None
        if offered.upgrade and self._unread:  # its route may have left nothing of the offer
            self._keep_alive = False

    def _frame(self, size: int, end: bool, trailer: bytes) -> bytes:
        """Return the framing header for a body of unknown length, of which the first `size` bytes are here. `trailer`
        names the trailers that may follow."""
        if end:
            return b"Content-Length: %d\r\n" % size
        if self._version == "1.1":
            self._respond_chunked = True
            if trailer and self._takes_trailers:
                return b"Trailer: %b\r\nTransfer-Encoding: chunked\r\n" % trailer
            return b"Transfer-Encoding: chunked\r\n"
        self._keep_alive = False
        self._unframed = True
        return b""

    def send_body(self, data: bytes, end: bool) -> None:
        transport = self._transport
        if self._state in (UPGRADING, TUNNEL):
            if data:
                transport.write(data)
            if end:
                self._end_tunnel()
            return
        if self._half_closed:
            self.deadline = inf
        chunked = self._respond_chunked
        if data and self._send_content:
            if chunked:
                transport.writelines((heads.chunk(data), data, heads.END_OF_LAST if end else b"\r\n"))
            else:
                transport.write(data)
        elif end and chunked:
            transport.write(heads.LAST_CHUNK)
        if end:
            self._finish()

    def send_trailers(self, fields: list[Pair]) -> bool:
        if not self._respond_chunked:
            self.send_body(b"", True)
            return False
        if self._half_closed:
            self.deadline = inf
        self._transport.write(heads.last_chunk(fields))
        self._finish()
        return True


def _offered(protocols: bytes, keep_alive: bool) -> bytes:
    """Return the lines that ask the client of a 426 for `protocols` (RFC 9110 section 15.5.22)."""
    options = b"upgrade" if keep_alive else b"close, upgrade"
    return b"Connection: %b\r\nUpgrade: %b\r\n" % (options, protocols)
