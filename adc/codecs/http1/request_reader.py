"""The reading half of a client's connection: bytes in, requests one by one out of aiohttp's parser."""

from __future__ import annotations

import re
from abc import abstractmethod
from math import inf
from typing import Any, Final

from adc.codecs.aiohttp_parser import http_exceptions
from adc.codecs.http1.chunked import ChunkedContent
from adc.codecs.http1.head_parser import HeadParser
from adc.codecs.http1.request_head import Refused, bad_request, refusal_of
from adc.codecs.http1.settings import Http1Settings
from adc.codecs.http1.unusual_head import METHOD_BYTES, may_be_unusual, read_unusual, speaks_http
from adc.codecs.interface import RequestReceiver
from adc.http.headers import Pair
from adc.http.message import UNKNOWN_LENGTH, Request
from adc.net.batch import HOLD_BYTES, BatchedReader

_BLANK_LINE: Final = b"\r\n\r\n"
_CR: Final = 13
_BLANKS: Final = re.compile(rb"[\r\n]+")
_LINE_ROOM: Final = METHOD_BYTES + 16
"""Bytes that a request line may have besides its target."""
_FINAL: Final = (http_exceptions.LineTooLong, http_exceptions.InvalidURLError)
"""Errors that stand however a head is read."""


class RequestReader(BatchedReader):
    """Reads requests. The writing half begins an exchange for each (`_begin`), one at a time.

    The parser gets one head at a time, cut at its blank line, and no content. `_partial_head` is what has come of a
    head; `_gathering` says that the parser rejected it, but that it may be read another way once it is complete.
    Blank lines before a head are skipped (RFC 9112 section 2.2): `_blank` counts their bytes.
    `_content` is what is missing of the content of the current request, in bytes, UNKNOWN_LENGTH if it is chunked.
    What lies behind that is kept unparsed in `_unread` (from `_start` on), with reading paused, until the response is
    out. If the request offers to switch protocols (`_offer`), it belongs to another protocol and waits for the switch;
    once `_switched`, all bytes go to the exchange as they are. `_half_closed`: no more bytes come, but the client waits
    for what it asked for.
    """

    __slots__ = (
        "_arrived",
        "_blank",
        "_blocked",
        "_chunks",
        "_closing",
        "_content",
        "_gathering",
        "_half_closed",
        "_head_end",
        "_held_up",
        "_keep_alive",
        "_offer",
        "_parsed",
        "_parser",
        "_partial_head",
        "_receiver",
        "_scheduled",
        "_send_content",
        "_settings",
        "_start",
        "_switched",
        "_trailers",
        "_unread",
        "deadline",
    )

    def __init__(self, settings: Http1Settings) -> None:
        self._settings = settings
        self._parser: Any = None
        self._arrived = b""
        self._parsed: Any = None
        self._head_end = 0
        self._receiver: RequestReceiver | None = None
        self._content = 0
        self._chunks: ChunkedContent | None = None
        self._trailers: list[Pair] = []
        self._unread = b""
        self._start = 0
        self._scheduled = False
        self._partial_head = b""
        self._blank = 0
        self._gathering = False
        self._keep_alive = True
        self._send_content = True
        self._offer: Request | None = None
        self._switched = False
        self._half_closed = False
        self._blocked = False
        self._held_up = False
        self._closing = False
        self.deadline = inf

    # What the writing half does.

    @abstractmethod
    def _begin(self, message: Any, data: bytes, start: int, size: int) -> None:
        """Begin an exchange; `size` is that of the head, and behind it came `data` from `start` on."""

    @abstractmethod
    def _refuse(self, refused: Refused) -> None:
        """Answer with an error and close."""

    @abstractmethod
    def _discard(self, count: int) -> None:
        """Count bytes that nobody reads any more."""

    @abstractmethod
    def _pause(self) -> None:
        """Have the transport read no more."""

    @abstractmethod
    def _resume(self) -> None:
        """Have the transport read again, unless something is unread or the exchange does not want it."""

    @abstractmethod
    def _close(self) -> None:
        """Close when the client has taken what is left to send."""

    @abstractmethod
    def drop(self) -> None:
        """Close at once."""

    # Bytes in.

    def data_received(self, data: bytes) -> None:
        if self._arrived:
            self._arrived += data
        elif self._receiver is not None or self._must_wait or len(data) > HOLD_BYTES:
            self._read(data)
        else:
            self._arrived = data
            self._settings.batch.request_arrived(self)

    @property
    def _must_wait(self) -> bool:
        """True if no request may begin now, though there is no exchange."""
        return self._closing or self._blocked or self._unread != b""

    @property
    def _is_due(self) -> bool:
        """True if a response is due to a client that sends no more."""
        return self._unread != b"" or (self._receiver is not None and not self._content)

    def parse_arrived(self) -> None:
        """Parse a head that arrived whole; whatever else arrived waits for `deliver_arrived`."""
        data = self._arrived
        if not data or self._partial_head or self._closing or data[0] <= _CR:
            return
        end = data.find(_BLANK_LINE) + 4
        if end < 4:
            return
        self._head_end = end
        try:
            self._parsed = self._parser.feed_data(data if end == len(data) else data[:end])
        except Exception as error:
            self._arrived = b""
            self._rejected(data[:end], error, data, end)  # a whole head: it is refused or begun

    def deliver_arrived(self) -> None:
        """Begin the request that was parsed, read what was not."""
        data = self._arrived
        if not data:
            return
        self._arrived = b""
        parsed, self._parsed = self._parsed, None
        if parsed is None:
            self._read(data)
            return
        end = self._head_end
        if not self._take(parsed, data if end == len(data) else data[:end], data, end):
            self._read_head(data, end)

    def read_arrived(self) -> None:
        """Do not wait for the end of the loop iteration."""
        self.parse_arrived()
        self.deliver_arrived()

    def _read(self, data: bytes) -> None:
        if self._closing:
            self._discard(len(data))
        elif self._unread:
            self._keep(self._unread[self._start :] + data, 0)
        elif self._content:
            self._read_content(data, 0)
        elif self._switched:
            self._pass_raw(data)
        elif self._receiver is not None or self._blocked:
            self._keep(data, 0)
        else:
            self._read_head(data, 0)

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

    def _go_on(self) -> None:
        """Read what was kept, as far as that is possible now."""
        self._scheduled = False
        data, start = self._unread, self._start
        if not data or self._closing:
            return
        if self._content:
            if self._held_up:
                return
            self._unread = b""
            self._read_content(data, start)
        elif self._receiver is None and not self._blocked:
            self._unread = b""
            self._read_head(data, start)
        if self._half_closed and not self._is_due:
            self._close()
        self._resume()

    # Heads.

    def _read_head(self, data: bytes, start: int) -> None:
        """Parse `data` from `start` on, up to the end of one head."""
        done = False
        if data[start] <= _CR and not self._partial_head:
            start = self._skip_blanks(data, start)
        while start < len(data) and not done:
            end = self._end_of_head(data, start)
            piece = data[start:end]
            start = end
            if self._gathering:
                done = self._gather(piece, data, end)
                continue
            try:
                parsed = self._parser.feed_data(piece)
            except Exception as error:
                done = self._rejected(piece, error, data, end)
                continue
            done = self._take(parsed, piece, data, end)

    def _skip_blanks(self, data: bytes, start: int) -> int:
        """Return where the blank lines at `start` end: the end of `data` if they are too many, which is rejected."""
        found = _BLANKS.match(data, start)
        if found is None:
            return start
        self._blank += found.end() - start
        if self._blank > self._settings.header_bytes:
            self._refuse_head(Refused(431, "limit_head", "too many blank lines before a request"))
            return len(data)
        return found.end()

    def _end_of_head(self, data: bytes, start: int) -> int:
        """Return where the next CRLF CRLF ends, the end of `data` if there is none."""
        if self._partial_head:
            edge = self._partial_head[-3:]
            found = (edge + data[start : start + 3]).find(_BLANK_LINE)
            if found >= 0:
                return start + found + 4 - len(edge)
        found = data.find(_BLANK_LINE, start)
        return found + 4 if found >= 0 else len(data)

    def _take(self, parsed: Any, piece: bytes, data: bytes, end: int) -> bool:
        """Go on with what the parser made of `piece`, which ends at `end` of `data`; False if no head is complete."""
        messages = parsed[0]
        if not messages:
            return self._keep_head(piece)
        head = piece
        if self._partial_head:
            head = self._partial_head + piece
            self._partial_head = b""
        message = messages[0][0]
        version = len(message.method) + len(message.path) + 1
        if head[version : version + 6] != b" HTTP/" and not speaks_http(head):
            return self._refuse_head(bad_request("the request is not of HTTP"))
        self._blank = 0
        self._begin(message, data, end, len(head))
        return True

    def _keep_head(self, piece: bytes) -> bool:
        """Keep a part of a head: from its first byte on it has `head_timeout`, and a limit in bytes."""
        settings = self._settings
        if not self._partial_head:
            self.deadline = settings.clock.now + settings.head_timeout
        head = self._partial_head = self._partial_head + piece
        if len(head) <= settings.target_bytes + _LINE_ROOM:
            return False
        if b"\n" not in head:
            return self._refuse_head(Refused(414, "limit_target", "the request line does not end"))
        if len(head) <= settings.header_bytes + settings.target_bytes:
            return False
        return self._refuse_head(Refused(431, "limit_head", "the request head is over its limit"))

    def _rejected(self, piece: bytes, error: Exception, data: bytes, end: int) -> bool:
        """Refuse the head that the parser rejected at `piece`, unless it only is unusual; False if that is open."""
        if isinstance(error, _FINAL) or not may_be_unusual(self._partial_head + piece):
            return self._refuse_head(refusal_of(error, self._settings.target_bytes))
        self._gathering = True
        return self._gather(piece, data, end)

    def _gather(self, piece: bytes, data: bytes, end: int) -> bool:
        """Keep a head that the parser rejected until it is complete, and read it then.

        It is looked at when its request line ends and when it ends, not for each byte that comes.
        """
        head = self._partial_head + piece
        if not head.endswith(_BLANK_LINE):
            if b"\n" in piece and b"\n" not in self._partial_head and not may_be_unusual(head):
                return self._refuse_head(bad_request("the request line is malformed"))
            return self._keep_head(piece)
        self._gathering = False
        self._partial_head = b""
        self._parser = HeadParser(self._settings)
        try:
            message = read_unusual(head, self._parser.feed_strictly)
        except Exception as error:
            return self._refuse_head(refusal_of(error, self._settings.target_bytes))
        self._blank = 0
        self._begin(message, data, end, len(head))
        return True

    def _refuse_head(self, refused: Refused) -> bool:
        self._partial_head = b""
        self._send_content = True
        self._refuse(refused)
        return True

    # Content.

    def _first_content(self, body_length: int, data: bytes, start: int) -> bytes:
        """The content that came with its head, in `data` from `start` on; what is behind it is kept.

        Raises `Refused`.
        """
        if body_length != UNKNOWN_LENGTH:
            body = data[start : start + body_length]
            self._content = body_length - len(body)
            self._keep(data, start + len(body))
            return body
        settings = self._settings
        chunks = self._chunks = ChunkedContent(settings.header_bytes, settings.header_count)
        self._content = UNKNOWN_LENGTH
        self._trailers = []
        return self._decode(chunks, data, start)

    def _read_content(self, data: bytes, start: int) -> None:
        """Pass content on to the exchange."""
        receiver, chunks = self._receiver, self._chunks
        if chunks is None:
            body = data[start : start + self._content] if start or len(data) > self._content else data
            self._content -= len(body)
            self._keep(data, start + len(body))
        else:
            try:
                body = self._decode(chunks, data, start)
            except Refused as refused:
                self._content_broke(refused)
                return
        if receiver is not None and (body or not self._content):
            self._deliver_content(receiver, body)
        if self._switched and not self._content:
            self._pass_unread()

    def _deliver_content(self, receiver: RequestReceiver, body: bytes) -> None:
        """Deliver content, and the trailers if it ends with some."""
        trailers = self._trailers
        if not trailers:
            receiver.request_body(body, not self._content)
            return
        if body:
            receiver.request_body(body, False)
        self._deliver_trailers(receiver, trailers)

    def _deliver_trailers(self, receiver: RequestReceiver, trailers: list[Pair]) -> None:
        """Deliver the trailers, unless the exchange has ended meanwhile."""
        self._trailers = []
        if self._receiver is receiver:
            receiver.request_trailers(trailers)

    def _decode(self, chunks: ChunkedContent, data: bytes, start: int) -> bytes:
        """Decode as many chunks of `data` from `start` on as one step may, keep the rest."""
        self._keep(data, chunks.read(data, start))
        if chunks.ended:
            self._trailers = chunks.trailers
            self._chunks = None
            self._content = 0
        elif self._unread:
            self._schedule()
        return chunks.take()

    def _content_broke(self, refused: Refused) -> None:
        receiver = self._receiver
        self._keep_alive = False
        self._closing = True
        self._content = 0
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
