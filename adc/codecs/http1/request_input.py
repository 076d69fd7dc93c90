"""The reading half of a client's connection: bytes in, requests one by one out of aiohttp's parser."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import deque
from math import inf
from typing import Any, Final, cast

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser

from adc.codecs.http1.batch import HOLD_BYTES
from adc.codecs.http1.request_head import Refused, refusal_of
from adc.codecs.http1.settings import ServerSettings
from adc.codecs.interface import RequestReceiver

_PIPELINE_BYTES: Final = 1 << 30
_BLANK_LINE: Final = b"\r\n\r\n"


class _NoFlow:
    """aiohttp's body reader asks its protocol to pause and resume; here the exchange decides that."""

    _reading_paused = False

    def pause_reading(self) -> None: ...

    def resume_reading(self, resume_parser: bool = True) -> None: ...


_NO_FLOW: Final = cast(BaseProtocol, _NoFlow())


class RequestInput(asyncio.Protocol):
    """Reads requests. The writing half begins an exchange for each (`_begin`), one at a time.

    Requests that were pipelined wait in `_queue`, with reading paused, until the response before is out; what
    was read behind them is `_held`, unparsed. `_payload` is the body of the current request while it is
    incomplete, `_chunked` the same as long as the parser is within a chunked body, `_partial_head` what has
    come of a head. The parser stops behind a request that offers a switch of protocols (`_stopped`); while the offer
    is open (`_upgrading`) what comes is no request (`_raw_input`) and is held until the member switches.
    """

    __slots__ = (
        "_arrived",
        "_blocked",
        "_chunked",
        "_closing",
        "_edge",
        "_held",
        "_keep_alive",
        "_parsed",
        "_parser",
        "_partial_head",
        "_payload",
        "_queue",
        "_raw_input",
        "_receiver",
        "_send_content",
        "_settings",
        "_stopped",
        "_switched",
        "_upgrading",
        "deadline",
    )

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._parser: Any = None
        self._arrived = b""
        self._parsed: Any = None
        self._receiver: RequestReceiver | None = None
        self._payload: Any = None
        self._chunked: Any = None
        self._queue: deque[tuple[Any, Any]] = deque()
        self._held: list[bytes] = []
        self._edge = b""
        self._partial_head = b""
        self._keep_alive = True
        self._send_content = True
        self._raw_input = False
        self._stopped = False
        self._switched = False
        self._upgrading = False
        self._blocked = False
        self._closing = False
        self.deadline = inf

    # What the writing half does.

    @abstractmethod
    def _begin(self, message: Any, payload: Any, size: int) -> None:
        """Begin an exchange; `size` is at least that of the head."""

    @abstractmethod
    def _refuse(self, refused: Refused) -> None:
        """Answer with an error and close."""

    @abstractmethod
    def _discard(self, count: int) -> None:
        """Bytes came that nobody reads any more."""

    @abstractmethod
    def pause_reading(self) -> None:
        """Read no more until `resume_reading`."""

    @abstractmethod
    def drop(self) -> None:
        """Close at once."""

    # Requests and their content.

    def data_received(self, data: bytes) -> None:
        if self._arrived:
            self._arrived += data
        elif self._payload is not None or self._not_awaited or len(data) > HOLD_BYTES:
            self._read(data)
        else:
            self._arrived = data
            self._settings.batch.request_arrived(self)

    def parse_arrived(self) -> None:
        """Parse what came of requests."""
        data = self._arrived
        if not data:
            return
        if self._closing:
            self._arrived = b""
            self._discard(len(data))
            return
        try:
            self._parsed = self._parser.feed_data(data)
        except Exception as error:
            self._arrived = b""
            self._broken(error)

    def begin_arrived(self) -> None:
        """Begin the requests that were parsed."""
        data = self._arrived
        if data:
            parsed, self._parsed = self._parsed, None
            self._arrived = b""
            self._take(data, parsed, False)

    def start_begun(self) -> None:
        """Start the exchange that has begun; its request has no content."""
        receiver = self._receiver
        if receiver is not None:
            receiver.start(b"", True)

    def read_arrived(self) -> None:
        """Do not wait for the end of the turn."""
        self.parse_arrived()
        self.begin_arrived()

    @property
    def _not_awaited(self) -> bool:
        """Whether what comes is anything but the next of a request."""
        return self._closing or bool(self._queue) or self._raw_input or self._chunked is not None

    def _read(self, data: bytes) -> None:
        if self._not_awaited:
            self._set_aside(data)
            return
        body_open = self._payload is not None
        try:
            parsed = self._parser.feed_data(data)
        except Exception as error:
            self._broken(error)
            return
        self._take(data, parsed, body_open)

    def _take(self, data: bytes, parsed: Any, body_open: bool) -> None:
        """Go on with what the parser made of `data`."""
        messages, upgraded, tail = parsed
        count = len(data)
        if body_open:
            stopped = self._stopped
            count -= self._pass_body()
            if stopped and self._payload is None:
                if count:
                    self._read(data[len(data) - count :])
                return
        if messages:
            if messages[-1][0].upgrade and not upgraded:
                messages, tail = self._behind_offer(messages, self._partial_head + data, body_open)
            if len(messages) > 1 or messages[0][0].chunked:
                messages = self._separated(messages, data, body_open)
                if not messages:
                    return
            count += len(self._partial_head)
            self._partial_head = b""
            for message, payload in messages:
                if self._receiver is None and not (self._queue or self._blocked or self._closing):
                    self._begin(message, payload, count)
                else:
                    self._queue.append((message, payload))
            if tail:
                self._read(tail)
            if self._queue:
                self.pause_reading()
        elif count and self._payload is None:
            self._keep_head(data[-count:])

    def _set_aside(self, data: bytes) -> None:
        """What came is not simply the next of a request."""
        if self._closing:
            self._discard(len(data))
        elif self._queue:
            self._held.append(data)
        elif self._raw_input:
            self._pass_raw(data)
        else:
            self._feed_chunked(self._chunked, data)

    def _new_parser(self) -> Any:
        settings = self._settings
        return HttpRequestParser(
            _NO_FLOW,
            settings.loop,
            _PIPELINE_BYTES,
            max_line_size=settings.target_bytes,
            max_field_size=settings.field_bytes,
            max_headers=settings.header_count,
            auto_decompress=False,
        )

    def _take_body(self) -> tuple[bytes, bool]:
        payload = self._payload
        body: bytes = payload.read_nowait(-1)
        end: bool = payload.is_eof()
        if end:
            self._payload = None
            if self._stopped:
                self._read_on()
        return body, end

    def _pass_body(self) -> int:
        """Pass on what there is of the body; how much it was."""
        body, end = self._take_body()
        if (body or end) and self._receiver is not None:
            self._receiver.request_body(body, end)
        return len(body)

    # Offers to switch protocols.

    def _read_on(self) -> None:
        """The parser has stopped behind the current request; another one reads the next request, unless bytes of
        another protocol may follow."""
        self._stopped = False
        self._raw_input = self._upgrading
        self._parser = self._new_parser()

    def _behind_offer(self, messages: Any, data: bytes, body_open: bool) -> tuple[Any, bytes]:
        """Return `messages`, of which the last offers a switch, and the bytes behind it, which the parser loses.

        If nothing tells where it ended, nothing is read behind it, and the connection closes after the response.
        """
        message, payload = messages[-1]
        if message.chunked or not payload.is_eof():
            return messages, b""
        if body_open or len(messages) > 1:
            self._raw_input = True
            return [*messages[:-1], (message._replace(should_close=True, upgrade=False), payload)], b""
        data = data.lstrip(b"\r\n")
        length = int(message.headers.get("Content-Length", "0"))
        return messages, data[_after_blank_line(data, 0) + length :]

    def _decline(self) -> None:
        """The response is no switch: requests go on, unless bytes of another protocol came before it."""
        self._upgrading = False
        if self._held:
            self._keep_alive = False
        else:
            self._raw_input = False

    def _pass_raw(self, data: bytes) -> None:
        if self._switched and self._receiver is not None:
            self._receiver.request_body(data, False)
        elif self._upgrading:
            self._held.append(data)
            self.pause_reading()

    # Chunked requests. aiohttp's parser adds the last trailer field of one to the header of the next
    # request, so a parser that has read one is replaced. For that the end of the body must be the end of
    # what it is fed: as it is always CRLF CRLF, input is cut behind each of those while such a body is read.

    def _feed_chunked(self, payload: Any, data: bytes) -> None:
        edge = self._edge
        self._edge = (edge + data[-3:])[-3:]
        found = (edge + data[:3]).find(_BLANK_LINE)
        start, end = 0, found + 4 - len(edge) if found >= 0 else 0
        while start < len(data):
            if end <= start:
                end = _after_blank_line(data, start)
            try:
                self._parser.feed_data(data[start:end])
            except Exception as error:
                self._broken(error)
                return
            start = end
            if payload.is_eof():
                self._chunked = None
                self._parser = self._new_parser()
                break
        self._pass_body()
        if start < len(data):
            self._read(data[start:])

    def _separated(self, messages: Any, data: bytes, body_open: bool) -> Any:
        """The messages of one read, none with a trailer field of another; empty if all were fed again."""
        for number, (message, payload) in enumerate(messages):
            if not message.chunked:
                continue
            last = number == len(messages) - 1
            if not payload.is_eof():
                self._chunked, self._edge = payload, data[-3:]
            elif last and data.endswith(_BLANK_LINE) and not message.upgrade:
                self._parser = self._new_parser()
            elif not body_open and self._starts_with(messages[0][0], self._partial_head + data):
                self._feed_again(self._partial_head + data)
                return ()
            else:
                self._raw_input = True
                return [*messages[:number], (message._replace(should_close=True), payload)]
        return messages

    def _starts_with(self, message: Any, data: bytes) -> bool:
        """Whether the head of `message` began with `data`: what else may have come before it was not kept."""
        try:
            again = self._new_parser().feed_data(data)[0][0][0]
        except Exception:
            return False
        return bool(
            (again.method, again.path, again.version, again.raw_headers)
            == (message.method, message.path, message.version, message.raw_headers)
        )

    def _feed_again(self, data: bytes) -> None:
        self._parser = self._new_parser()
        self._partial_head = b""
        start = 0
        while start < len(data):
            end = _after_blank_line(data, start)
            self._read(data[start:end])
            start = end

    # What is refused.

    def _keep_head(self, data: bytes) -> None:
        """A head is incomplete: from its first byte on it has `head_timeout`, and a limit in bytes."""
        settings = self._settings
        if not self._partial_head and self._receiver is None:
            self.deadline = settings.clock.now + settings.head_timeout
        self._partial_head += data
        if len(self._partial_head) > settings.header_bytes + settings.target_bytes:
            self._refuse_next(Refused(431, "limit_head", "the request head is over its limit"))

    def _broken(self, error: Exception) -> None:
        refused = refusal_of(error, self._settings.target_bytes)
        receiver = self._receiver
        if receiver is not None and self._payload is not None:
            self._keep_alive = False
            self._closing = True
            self._payload = None
            receiver.bad_body(refused.detail)
        else:
            self._refuse_next(refused)

    def _refuse_next(self, refused: Refused) -> None:
        """Refuse what came, after the responses to what came before it."""
        if self._receiver is not None or self._queue:
            self._queue.append((refused, None))
            self.pause_reading()
        else:
            self._send_content = True
            self._refuse(refused)


def _after_blank_line(data: bytes, start: int) -> int:
    """Where the next CRLF CRLF ends, the end of `data` if there is none."""
    found = data.find(_BLANK_LINE, start)
    return found + 4 if found >= 0 else len(data)
