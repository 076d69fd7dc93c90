"""Request heads on a client's connection: bytes in, requests one by one out of aiohttp's parser."""

from __future__ import annotations

import re
from abc import abstractmethod
from math import inf
from typing import Final

from adc.codecs.aiohttp_parser import http_exceptions
from adc.codecs.http1.content_reader import ContentReader
from adc.codecs.http1.head_parser import HeadParser
from adc.codecs.http1.parsed_head import ParsedHead
from adc.codecs.http1.request_head import Refused, bad_request, refusal_of
from adc.codecs.http1.settings import Http1Settings
from adc.codecs.http1.states import (
    BODY,
    CHUNKED,
    DISCARD,
    HEAD,
    ODD_HEAD,
    PIPELINED,
    TUNNEL,
    UPGRADING,
)
from adc.codecs.http1.unusual_head import METHOD_BYTES, may_be_unusual, read_unusual, speaks_http
from adc.net.batch import HOLD_BYTES

_BLANK_LINE: Final = b"\r\n\r\n"
_CR: Final = 13
_BLANKS: Final = re.compile(rb"[\r\n]+")
_LINE_ROOM: Final = METHOD_BYTES + 16
"""Bytes that a request line may have in addition to its target."""
_FINAL: Final = (http_exceptions.LineTooLong, http_exceptions.InvalidURLError)
"""Errors that stand however a head is read."""


class RequestReader(ContentReader):
    """Reads requests. `_begin` begins an exchange for each, one at a time.

    The parser gets one head at a time, cut at its blank line, and no content. `_partial_head` is what has come of a
    head. Blank lines before a head are skipped (RFC 9112 section 2.2): `_blank` counts their bytes. `_blocked`: the
    client does not take what was written, so no further request begins. `_half_closed`: no more bytes come, but the
    client waits for what it asked for.
    """

    __slots__ = (
        "_arrived",
        "_blank",
        "_blocked",
        "_half_closed",
        "_head_end",
        "_parsed",
        "_parser",
        "_partial_head",
        "deadline",
    )

    def __init__(self, settings: Http1Settings) -> None:
        super().__init__(settings)
        self._parser = HeadParser(settings)
        self._arrived = b""
        self._parsed: ParsedHead | None = None
        self._head_end = 0
        self._partial_head = b""
        self._blank = 0
        self._half_closed = False
        self._blocked = False
        self.deadline = inf

    @abstractmethod
    def _begin(self, head: ParsedHead, data: bytes, start: int, size: int) -> None:
        """Begin an exchange; `size` is that of the head, and behind it came `data` from `start` on."""

    @abstractmethod
    def _refuse(self, refused: Refused) -> None:
        """Respond with an error and close."""

    @abstractmethod
    def _discard(self, count: int) -> None:
        """Count bytes that are not read any more."""

    @abstractmethod
    def _close(self) -> None:
        """Close when the client has taken what is left to send."""

    # Bytes in.

    def data_received(self, data: bytes) -> None:
        if self._arrived:
            self._arrived += data
        elif self._state > ODD_HEAD or self._blocked or self._unread or len(data) > HOLD_BYTES:
            self._read(data)
        else:
            self._arrived = data
            self._settings.batch.request_arrived(self)

    @property
    def _is_due(self) -> bool:
        """True if a response is due to a client that sends no more."""
        return self._unread != b"" or self._state in (PIPELINED, TUNNEL)

    def parse_arrived(self) -> None:
        """Parse a head that arrived whole; whatever else arrived waits for `deliver_arrived`."""
        data = self._arrived
        if not data or self._partial_head or self._state != HEAD or data[0] <= _CR:
            return
        if data.startswith(b"GET ") and data.endswith(_BLANK_LINE) and data[-5] > _CR:
            self._parsed = self._parser.feed_alone(data)
            if self._parsed is not None:
                self._head_end = len(data)
                return
        end = data.find(_BLANK_LINE) + 4
        if end < 4:
            return
        try:
            self._parsed = self._parser.feed_data(data if end == len(data) else data[:end])
            self._head_end = end
        except Exception as error:
            self._arrived = b""
            self._rejected(data[:end], error, data, end)  # a whole head: it is refused or begun

    def deliver_arrived(self) -> None:
        """Begin the request that was parsed, read what was not."""
        data = self._arrived
        if not data:
            return
        self._arrived = b""
        end, self._head_end = self._head_end, 0
        if not end:
            self._read(data)
            return
        parsed, self._parsed = self._parsed, None
        if not self._take(parsed, data if end == len(data) else data[:end], data, end):
            self._read_head(data, end)

    def read_arrived(self) -> None:
        """Do not wait for the end of the loop iteration."""
        self.parse_arrived()
        self.deliver_arrived()

    def _read(self, data: bytes) -> None:
        state = self._state
        if state >= DISCARD:
            self._discard(len(data))
        elif self._unread:
            self._keep(self._unread[self._start :] + data, 0)
        elif state in (BODY, CHUNKED, UPGRADING):
            self._read_content(data, 0)
        elif state == TUNNEL:
            self._pass_raw(data)
        elif state == PIPELINED or self._blocked:
            self._keep(data, 0)
        else:
            self._read_head(data, 0)

    def _go_on(self) -> None:
        self._scheduled = False
        data, start, state = self._unread, self._start, self._state
        if not data or state >= DISCARD:
            return
        if state in (BODY, CHUNKED, UPGRADING):
            if self._held_up:
                return
            self._unread = b""
            self._read_content(data, start)
        elif state <= ODD_HEAD and not self._blocked:
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
            part = data[start:end]
            start = end
            if self._state == ODD_HEAD:
                done = self._gather(part, data, end)
                continue
            try:
                parsed = self._parser.feed_data(part)
            except Exception as error:
                done = self._rejected(part, error, data, end)
                continue
            done = self._take(parsed, part, data, end)

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

    def _take(self, parsed: ParsedHead | None, part: bytes, data: bytes, end: int) -> bool:
        """Go on with what the parser made of `part`, which ends at `end` of `data`; False if no head is complete."""
        if parsed is None:
            return self._keep_head(part)
        head = part
        if self._partial_head:
            head = self._partial_head + part
            self._partial_head = b""
        version = len(parsed.method) + len(parsed.target) + 1
        if head[version : version + 6] != b" HTTP/" and not speaks_http(head):
            return self._refuse_head(bad_request("the request is not of HTTP"))
        self._blank = 0
        self._begin(parsed, data, end, len(head))
        return True

    def _keep_head(self, part: bytes) -> bool:
        """Keep a part of a head: from its first byte on it has `head_timeout`, and a limit in bytes."""
        settings = self._settings
        if not self._partial_head:
            self.deadline = settings.clock.now + settings.head_timeout
        head = self._partial_head = self._partial_head + part
        if len(head) <= settings.target_bytes + _LINE_ROOM:
            return False
        if b"\n" not in head:
            return self._refuse_head(Refused(414, "limit_target", "the request line does not end"))
        if len(head) <= settings.header_bytes + settings.target_bytes:
            return False
        return self._refuse_head(Refused(431, "limit_head", "the request head is over its limit"))

    def _rejected(self, part: bytes, error: Exception, data: bytes, end: int) -> bool:
        """Refuse the head that the parser rejected at `part`, unless it only is unusual; False if that is open."""
        if isinstance(error, _FINAL) or not may_be_unusual(self._partial_head + part):
            return self._refuse_head(refusal_of(error, self._settings.target_bytes))
        self._state = ODD_HEAD
        return self._gather(part, data, end)

    def _gather(self, part: bytes, data: bytes, end: int) -> bool:
        """Keep a head that the parser rejected until it is complete, and read it then.

        It is looked at when its request line ends and when it ends, not for each byte that comes.
        """
        head = self._partial_head + part
        if not head.endswith(_BLANK_LINE):
            if b"\n" in part and b"\n" not in self._partial_head and not may_be_unusual(head):
                return self._refuse_head(bad_request("the request line is malformed"))
            return self._keep_head(part)
        self._partial_head = b""
        self._parser = HeadParser(self._settings)
        try:
            parsed = read_unusual(head, self._parser.feed_strictly)
        except Exception as error:
            return self._refuse_head(refusal_of(error, self._settings.target_bytes))
        self._blank = 0
        self._begin(parsed, data, end, len(head))
        return True

    def _refuse_head(self, refused: Refused) -> bool:
        self._partial_head = b""
        self._refuse(refused)
        return True
