"""A connection to a member: heads and bodies out, httptools' response parser in."""

from __future__ import annotations

import asyncio
import re
import ssl
from math import inf
from typing import TYPE_CHECKING, Any, Final

import httptools

from adc.codecs.http1 import heads
from adc.codecs.http1.batch import HOLD_BYTES
from adc.codecs.http1.outlet import Outlet
from adc.codecs.interface import ResponseReceiver
from adc.http.fields import divide
from adc.http.headers import Headers, Pair
from adc.http.message import UNKNOWN_LENGTH, Request, Response
from adc.http.tied import is_tied, offers_connection
from adc.http.upgrade import offers
from adc.pools.errors import Failure

if TYPE_CHECKING:
    from adc.codecs.http1.link import HttpLink

_MAX_HEAD: Final = 256 << 10
_LITTLE_BYTES: Final = 32 << 10
_JOIN_BYTES: Final = 16 << 10
_UNAUTHORIZED: Final = 401
_UPGRADE_REQUIRED: Final = 426
_NO_CONTENT: Final = frozenset({204, 304})
_VERSIONS: Final = ("1.0", "1.1")
_REFUSED_CERTIFICATE: Final = re.compile("ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")
"""Alerts that come after the handshake as a TLS 1.3 client sees it, but before anything is served."""


class ClientConnection(asyncio.Protocol):
    """One connection to a member. It belongs to one `receiver` at a time, or lies idle in its link.

    What one read brings of a response is collected from the parser's callbacks and passed on in one call. A
    response that breaks the framing rules fails the try; anything unasked for closes the connection.
    """

    __slots__ = (
        "_arrived",
        "_body",
        "_chunked",
        "_collecting",
        "_content",
        "_done",
        "_head",
        "_head_bytes",
        "_keep",
        "_link",
        "_pairs",
        "_parser",
        "_paused",
        "_private",
        "_reason",
        "_request_end",
        "_scheduled",
        "_slowly",
        "_streams",
        "_switched",
        "_transport",
        "_until_close",
        "_upgrade",
        "counted",
        "deadline",
        "receiver",
        "reused",
    )

    def __init__(self, link: HttpLink) -> None:
        self._link = link
        self._transport = Outlet(link.batch)
        self.receiver: ResponseReceiver | None = None
        self._parser: Any = None
        self._pairs: list[Pair] = []
        self._collecting = False
        self._arrived = b""
        self._body: list[bytes] = []
        self._head: Response | None = None
        self._head_bytes = 0
        self._reason = b""
        self._content = True
        self._chunked = False
        self._done = False
        self._keep = False
        self._until_close = False
        self._request_end = True
        self._streams = False
        self._switched = False
        self._upgrade = b""
        self._paused = False
        self._private = False
        self._scheduled = False
        self._slowly = False
        self.counted = False
        self.reused = False
        self.deadline = inf

    # The request.

    def send(self, request: Request, target: str, lines: list[Pair], body: bytes, end: bool) -> None:
        length = request.body_length
        head = heads.request_head(request.method, target, lines, length, request.upgrade)
        self._content = request.method != "HEAD"
        self._upgrade = request.upgrade
        self._chunked = length == UNKNOWN_LENGTH
        self._request_end = end
        self._streams = not end
        self._head_bytes = 0
        self._done = False
        if b"authorization" in request.noted and is_tied(request):
            self._private = True
        if not body:
            self._transport.write(head + heads.LAST_CHUNK if end and self._chunked else head)
        elif self._chunked:
            last = b"\r\n" + heads.LAST_CHUNK if end else b"\r\n"
            self._transport.writelines((head, heads.chunk(body), body, last))
        elif len(body) <= _JOIN_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))

    def send_body(self, data: bytes, end: bool) -> None:
        transport = self._transport
        if data:
            if self._chunked:
                transport.writelines((heads.chunk(data), data, b"\r\n"))
            else:
                transport.write(data)
        if end:
            self._request_end = True
            if self._switched:
                if transport.can_write_eof():
                    transport.write_eof()
            elif self._chunked:
                transport.write(heads.LAST_CHUNK)

    def pause_reading(self) -> None:
        self._slowly = False
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume_slowly(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()
        self._slowly = self._paused
        self._schedule_little()

    def _schedule_little(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._link.batch.loop.call_soon(self._read_little)

    def _read_little(self) -> None:
        """Deliver a little of what waits in the kernel, past the paused transport, which reads 256 KB at a time."""
        self._scheduled = False
        if not self._slowly or self.receiver is None or self._transport.is_closing():
            return
        data = self._transport.read_waiting(_LITTLE_BYTES)
        if not data:
            self.resume_reading()
            return
        self._schedule_little()
        self.data_received(data)

    def resume_reading(self) -> None:
        self._slowly = False
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def abort(self) -> None:
        self.receiver = None
        self._transport.abort()

    def reacquire(self, receiver: ResponseReceiver) -> bool:
        if self._transport.is_closing() or self._link.retired:
            return False
        self.receiver = receiver
        return True

    def drop(self) -> None:
        """Nobody waits for this connection any more; it may not even be open."""
        self._transport.abort()

    def close(self) -> None:
        """Close when what was sent has been taken; nothing is asked on it any more."""
        self.receiver = None
        self._link.uncount(self)
        self._transport.close()

    @property
    def made(self) -> bool:
        """Whether it has ever been open."""
        return self._transport.made

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport.is_closing()

    # Events of the transport.

    def connection_made(self, transport: Any) -> None:
        self._transport.opened(transport)
        self._parser = httptools.HttpResponseParser(self)
        self._link.made(self)

    def data_received(self, data: bytes) -> None:
        receiver = self.receiver
        if receiver is None:
            self._link.discard(self)
            self._transport.abort()
            return
        if self._arrived:
            self._arrived += data
        elif self._switched:
            receiver.response_body(data, False)
        elif self._head_bytes or len(data) > HOLD_BYTES:
            self._arrived = data
            self.read_arrived()
        else:
            self._arrived = data
            self._link.batch.response_arrived(self)

    def parse_arrived(self) -> None:
        """Parse what came of a response."""
        data, receiver = self._arrived, self.receiver
        if receiver is None or not data:
            self._arrived = b""
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._arrived = b""
            self._switch(receiver, data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if self._done:
                self._keep = False
            else:
                self._arrived = b""
                self._fail(Failure.PROTOCOL_ERROR, _cause(error))

    def deliver_arrived(self) -> None:
        """Pass on what was parsed."""
        count, receiver = len(self._arrived), self.receiver
        if count and receiver is not None:
            self._arrived = b""
            self._deliver(receiver, count)

    def read_arrived(self) -> None:
        """Do not wait for the end of the turn."""
        self.parse_arrived()
        self.deliver_arrived()

    def eof_received(self) -> bool:
        self.read_arrived()
        if self.receiver is None:
            self._link.discard(self)
        elif (
            not self._switched
        ):  # a request that the member has stopped reading would keep the transport open
            self._transport.abort()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.read_arrived()
        if exc is not None and self.receiver is not None:
            self._read_leftover()
        if isinstance(exc, BrokenPipeError):  # Linux: the stream ended in order before the reset
            exc = None
        self._link.lost(self)
        self._transport.lost()
        self._parser = None  # it holds this connection: a cycle otherwise
        receiver, self.receiver = self.receiver, None
        if receiver is None:
            return
        if self._switched or (self._until_close and exc is None):
            receiver.response_body(b"", True)
            return
        reset = "reset the connection" if exc is not None else "closed the connection"
        if self._streams and (not self._request_end or self._transport.undelivered):
            receiver.failed(Failure.UPLOAD_RESET, f"the member {reset} before the end of the request content")
        elif self._head_sent:
            receiver.failed(Failure.BODY_INCOMPLETE, f"the member {reset} before the end of the response")
        elif self._head_bytes:
            receiver.failed(Failure.HEAD_INCOMPLETE, f"the member {reset} within the response head")
        elif self.reused:
            detail = f"the member {reset} while it was idle{self._link.stale(self)}"
            receiver.failed(Failure.STALE_CONNECTION, detail)
        elif isinstance(exc, ssl.SSLError) and _REFUSED_CERTIFICATE.search(exc.reason or ""):
            receiver.failed(Failure.TLS_ALERT, f"the member refused the TLS connection: {exc.reason}")
        else:
            receiver.failed(Failure.RESET, f"the member {reset} without a response")

    def _read_leftover(self) -> None:
        """Read what came before the connection broke."""
        for data in self._transport.read_leftover():
            self.data_received(data)
        self.read_arrived()

    def pause_writing(self) -> None:
        if self.receiver is not None:
            self.receiver.member_blocked()

    def resume_writing(self) -> None:
        if self.receiver is not None:
            self.receiver.member_writable()

    # Events of the parser.

    def on_message_begin(self) -> None:
        if self._done:
            self._keep = False
        else:
            self._pairs = []
            self._collecting = True
            self._reason = b""

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._collecting:  # not trailers, nor a response that nobody asked for
            self._pairs.append((name, value))

    def on_headers_complete(self) -> None:
        if not self._collecting:
            return
        self._collecting = False
        status = self._parser.get_status_code()
        lines, noted = divide(self._pairs)
        response = Response(status, Headers(lines), self._reason, UNKNOWN_LENGTH, b"date" in noted)
        if status < 200:
            self._interim(response, noted)
            return
        self._frame(response, noted)
        self._head = response

    def on_body(self, body: bytes) -> None:
        if self._done:
            self._keep = False
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._head is not None or self._head_sent:
            self._done = True

    # The response.

    @property
    def _head_sent(self) -> bool:
        return self._head_bytes < 0

    def _frame(self, response: Response, noted: dict[bytes, bytes]) -> None:
        """How the body ends (RFC 9112 section 6.3). Raises ValueError for what is ambiguous."""
        status = response.status
        parser = self._parser
        self._keep = parser.should_keep_alive()
        if not self._keep and parser.get_http_version() not in _VERSIONS:
            raise ValueError("neither HTTP/1.0 nor HTTP/1.1")
        if b"transfer-encoding" in noted:
            if noted[b"transfer-encoding"].lower() != b"chunked" or parser.get_http_version() != "1.1":
                raise ValueError("only the transfer coding `chunked` of HTTP/1.1 is understood")
        elif b"content-length" in noted:
            response.body_length = int(noted[b"content-length"])
        elif self._content and status not in _NO_CONTENT:
            self._until_close = True
            self._keep = False
        if status == _UNAUTHORIZED and offers_connection(response.headers.get_all(b"www-authenticate")):
            self._private = True
        elif status == _UPGRADE_REQUIRED:
            response.upgrade = noted.get(b"upgrade", b"")
        if b"keep-alive" in noted:
            self._link.announced(noted[b"keep-alive"])
        if not self._content:
            self._done = True
            self._parser = httptools.HttpResponseParser(self)

    def _interim(self, response: Response, noted: dict[bytes, bytes]) -> None:
        if response.status < 100:
            raise ValueError("a status below 100")
        if response.status == 101:
            if not offers(self._upgrade, noted.get(b"upgrade", b"")) or not self._parser.should_upgrade():
                raise ValueError("a switch of protocols that nobody asked for")
            response.upgrade = noted[b"upgrade"]
            self._head = response
        elif self.receiver is not None:
            self.receiver.response_informational(response)

    def _switch(self, receiver: ResponseReceiver, rest: bytes) -> None:
        head, self._head = self._head, None
        if head is None or head.status != 101:
            self._fail(Failure.PROTOCOL_ERROR, "a switch of protocols that nobody asked for")
            return
        self._switched = True
        self._chunked = False
        self._head_bytes = -1
        receiver.response_head(head, rest, False)

    def _deliver(self, receiver: ResponseReceiver, count: int) -> None:
        """Pass on what one read brought; an answered connection is given back first."""
        parts = self._body
        if parts:
            body = parts[0] if len(parts) == 1 else b"".join(parts)
            parts.clear()
        else:
            body = b""
        head, done = self._head, self._done
        if done:
            self._release(receiver)
        if head is not None:
            self._head = None
            if not done:
                self._head_bytes = -1
            receiver.response_head(head, body, done)
        elif body or done:
            receiver.response_body(body, done)
        elif self._head_bytes >= 0:
            self._head_bytes += count
            if self._head_bytes > _MAX_HEAD:
                self._fail(Failure.HEAD_TOO_LARGE, "the response head is too large")

    def _release(self, receiver: ResponseReceiver) -> None:
        self.receiver = None
        self._head_bytes = 0
        if self._keep and self._request_end and not self._transport.is_closing():
            if self.reused:
                self._link.stale_row = 0
            self.reused = True
            if self._paused:
                self.resume_reading()
            if not self._private:
                self._link.release(self)
            elif not receiver.keep(self):
                self.close()
        elif self._request_end:
            self.close()
        else:
            self._transport.abort()

    def _fail(self, failure: Failure, detail: str) -> None:
        receiver, self.receiver = self.receiver, None
        self._transport.abort()
        if receiver is not None:
            receiver.failed(Failure.BODY_INCOMPLETE if self._head_sent else failure, detail)


def _cause(error: Exception) -> str:
    """The words of a parser's error, or of what a callback raised inside it."""
    return str(error.__context__ or error)
