"""The content of requests on a client's connection, and the bytes behind it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from adc.codecs.http1.chunked import ChunkedContent
from adc.codecs.http1.settings import Http1Settings
from adc.codecs.http1.states import BODY, CHUNKED, DISCARD, HEAD, PIPELINED, TUNNEL, UPGRADING
from adc.codecs.interface import RequestReceiver
from adc.codecs.refused import Refused
from adc.http.headers import Pair
from adc.http.message import UNKNOWN_LENGTH, Request
from adc.http.trailers import without_nominated
from adc.net.batch import BatchedReader

_NO_TRAILERS: Final[list[Pair]] = []


class ContentReader(BatchedReader):
    """Delivers request content to the exchange, `_receiver`.

    `_state` says what the next bytes are (`states`). `_left` counts the missing bytes of content of known length. What
    lies behind the content is kept unparsed in `_unread` (from `_start` on), with reading paused, until the response is
    complete. `_held_up`: the exchange wants no content for now. `_connection`: the `Connection` field of a request with
    chunked content.
    """

    __slots__ = (
        "_chunks",
        "_connection",
        "_held_up",
        "_left",
        "_receiver",
        "_scheduled",
        "_settings",
        "_start",
        "_state",
        "_trailers",
        "_unread",
    )

    def __init__(self, settings: Http1Settings) -> None:
        self._settings = settings
        self._state = HEAD
        self._receiver: RequestReceiver | None = None
        self._left = 0
        self._chunks: ChunkedContent | None = None
        self._connection = b""
        self._trailers = _NO_TRAILERS
        self._unread = b""
        self._start = 0
        self._scheduled = False
        self._held_up = False

    @abstractmethod
    def _pause(self) -> None:
        """Have the transport read no more."""

    @abstractmethod
    def _resume(self) -> None:
        """Have the transport read again, unless something is unread or the exchange does not want it."""

    @abstractmethod
    def _go_on(self) -> None:
        """Read what was kept, as far as that is possible now."""

    def _keep(self, data: bytes, start: int) -> None:
        """Read `data` from `start` on later: `_go_on` does. No more is read from the client until then."""
        if start < len(data):
            self._unread = data
            self._start = start
            self._pause()

    def _schedule(self) -> None:
        """Go on in the next loop iteration: a client with much to read does not keep others waiting."""
        if not self._scheduled:
            self._scheduled = True
            self._settings.loop.call_soon(self._go_on)

    def _first_content(self, request: Request, data: bytes, start: int) -> bytes:
        """Return the content that came with its head, in `data` from `start` on; keep what is behind it.

        Raises `Refused`.
        """
        body_length = request.body_length
        if body_length != UNKNOWN_LENGTH:
            body = data[start : start + body_length]
            self._left = body_length - len(body)
            self._state = BODY if self._left else PIPELINED
            self._keep(data, start + len(body))
            return body
        settings = self._settings
        chunks = self._chunks = ChunkedContent(settings.header_bytes, settings.header_count)
        self._state = CHUNKED
        self._connection = request.proxy_fields.get(b"connection", b"")
        self._trailers = _NO_TRAILERS
        return self._decode(chunks, data, start)

    def _read_content(self, data: bytes, start: int) -> None:
        """Deliver content in `data` from `start` on."""
        receiver, chunks = self._receiver, self._chunks
        upgrading = self._state == UPGRADING
        if chunks is None:
            body = data[start : start + self._left] if start or len(data) > self._left else data
            self._left -= len(body)
            if not self._left:
                self._state = TUNNEL if upgrading else PIPELINED
            self._keep(data, start + len(body))
        else:
            try:
                body = self._decode(chunks, data, start)
            except Refused as refused:
                self._content_broke(refused)
                return
        ended = self._state not in (BODY, CHUNKED, UPGRADING)
        if receiver is not None and (body or ended):
            self._deliver(receiver, body, ended)
        if self._state == TUNNEL:
            self._pass_unread()

    def _deliver(self, receiver: RequestReceiver, body: bytes, ended: bool) -> None:
        """Deliver content, and the trailers if it ends with some."""
        trailers = self._trailers
        if not trailers:
            receiver.request_body(body, ended)
            return
        if body:
            receiver.request_body(body, False)
        self._deliver_trailers(receiver, trailers)

    def _deliver_trailers(self, receiver: RequestReceiver, trailers: list[Pair]) -> None:
        """Deliver the trailers, unless the exchange has ended meanwhile."""
        self._trailers = _NO_TRAILERS
        if self._receiver is receiver:
            receiver.request_trailers(without_nominated(trailers, self._connection))

    def _decode(self, chunks: ChunkedContent, data: bytes, start: int) -> bytes:
        """Decode as many chunks of `data` from `start` on as one step may, keep the rest."""
        self._keep(data, chunks.read(data, start))
        if chunks.ended:
            self._trailers = chunks.trailers
            self._chunks = None
            self._state = PIPELINED
        elif self._unread:
            self._schedule()
        return chunks.take()

    def _content_broke(self, refused: Refused) -> None:
        receiver = self._receiver
        self._state = DISCARD
        self._chunks = None
        if receiver is not None:
            receiver.bad_body(refused)

    # After a switch of protocols.

    def _pass_unread(self) -> None:
        """Pass on what came before the switch, behind the request."""
        data, start = self._unread, self._start
        if data:
            self._unread = b""
            self._pass_raw(data[start:])
            self._resume()

    def _pass_raw(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.request_body(data, False)
