"""A connection to a member: heads and bodies out."""

from __future__ import annotations

import re
import ssl
from typing import Any, Final

from adc.codecs.http1 import heads
from adc.codecs.http1.linked import Owner
from adc.codecs.http1.response_reader import ResponseReader
from adc.codecs.http1.states import (
    IDLE,
    LOST,
    MEMBER_STATES,
    RESPONSE_HEAD,
    RESPONSE_REST,
    RESPONSE_TUNNEL,
    UNTIL_CLOSE,
)
from adc.codecs.interface import ResponseReceiver
from adc.http.headers import Pair
from adc.http.message import UNKNOWN_LENGTH, Request
from adc.http.tied import is_tied
from adc.net.batch import HOLD_BYTES
from adc.net.batched_writer import BatchedWriter
from adc.pools.errors import Failure

_LITTLE_BYTES: Final = 32 << 10
_JOIN_BYTES: Final = 16 << 10
_REFUSED_CERTIFICATE: Final = re.compile("ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")
"""Alerts that come after the handshake as a TLS 1.3 client sees it, but before anything is served."""


class ClientConnection(ResponseReader):
    """One connection to a member. It belongs to one `receiver` at a time, or is idle in its link.

    Unsolicited bytes close it. `_chunked`: request content goes out in chunks; `_streams`: in more than one part, of
    which the last was sent if `_request_end`. `_slowly`: the response is read a little at a time, past the paused
    transport.
    """

    __slots__ = ("_chunked", "_paused", "_request_end", "_scheduled", "_slowly", "_streams", "_transport")

    def __init__(self, link: Owner) -> None:
        super().__init__(link)
        self._transport = BatchedWriter(link.batch)
        self._chunked = False
        self._request_end = True
        self._streams = False
        self._paused = False
        self._scheduled = False
        self._slowly = False

    def __repr__(self) -> str:
        used = "reused" if self.reused else "new"
        return f"<{type(self).__name__} {MEMBER_STATES[self._state]} {used}>"

    # The request.

    def send(self, request: Request, target: str, lines: list[Pair], body: bytes, end: bool) -> None:
        length = request.body_length
        head = heads.request_head(request, target, lines)
        self._content = request.method != "HEAD"
        self._upgrade = request.upgrade
        self._chunked = length == UNKNOWN_LENGTH
        self._request_end = end
        self._streams = not end
        self._begin_response()
        if b"authorization" in request.proxy_fields and is_tied(request):
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
            if self._state == RESPONSE_TUNNEL:
                if transport.can_write_eof():
                    transport.write_eof()
            elif self._chunked:
                transport.write(heads.LAST_CHUNK)

    def send_trailers(self, fields: list[Pair]) -> bool:
        if not self._chunked:
            self.send_body(b"", True)
            return False
        self._request_end = True
        self._transport.write(heads.last_chunk(fields))
        return True

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
        """Abort a connection that no attempt uses any more, even while it is being opened."""
        self._transport.abort()

    def close(self) -> None:
        """Close when what was sent has been taken; nothing is asked on it any more."""
        self.receiver = None
        self._link.uncount(self)
        self._transport.close()

    @property
    def made(self) -> bool:
        """True if the connection has ever been open."""
        return self._transport.made

    @property
    def closed(self) -> bool:
        """True if nothing can be sent any more."""
        return self._transport.is_closing()

    # Events of the transport.

    def connection_made(self, transport: Any) -> None:
        self._transport.opened(transport)
        self._new_parser()
        self._link.made(self)

    def data_received(self, data: bytes) -> None:
        receiver = self.receiver
        if receiver is None:
            self._link.discard(self)
            self._transport.abort()
            return
        if self._arrived:
            self._arrived += data
        elif self._state == RESPONSE_HEAD and not self._head_bytes and len(data) <= HOLD_BYTES:
            self._arrived = data
            self._link.batch.response_arrived(self)
        elif self._state == RESPONSE_REST:
            self._pass_rest(receiver, data)
        elif self._state in (RESPONSE_TUNNEL, UNTIL_CLOSE):
            receiver.response_body(data, False)
        else:
            self._arrived = data
            self.read_arrived()

    def eof_received(self) -> bool:
        self.read_arrived()
        if self.receiver is None:
            self._link.discard(self)
        elif self._state != RESPONSE_TUNNEL:
            self._transport.abort()  # a request that the member has stopped reading would keep the transport open
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
        state, delivered, self._state = self._state, self._head_delivered, LOST
        if receiver is None:
            return
        if state == RESPONSE_TUNNEL or (state == UNTIL_CLOSE and exc is None):
            receiver.response_body(b"", True)
            return
        reset = "reset the connection" if exc is not None else "closed the connection"
        if self._streams and (not self._request_end or self._transport.undelivered):
            receiver.failed(Failure.UPLOAD_RESET, f"the member {reset} before the end of the request content")
        elif delivered:
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

    # The end of a response.

    def _release(self, receiver: ResponseReceiver) -> None:
        self.receiver = None
        self._state = IDLE
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
            receiver.failed(Failure.BODY_INCOMPLETE if self._head_delivered else failure, detail)
