"""Bytes to parsed request heads: ordinary ones by httptools, all others by aiohttp's parser.

aiohttp's parser decides what a request is. For every head it also builds a multidict and a URL that a proxy never
reads: a quarter of the instructions of a proxied GET. httptools is the same llhttp without them. Its result is used
only for heads that aiohttp's parser accepts too, with the same result (`tests/property/test_ordinary_heads.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

import httptools

from adc.codecs.aiohttp_parser import BaseProtocol, HttpRequestParser
from adc.codecs.http1.parsed_head import ParsedHead
from adc.codecs.http1.request_fields import RequestFields
from adc.codecs.refused import Refused
from adc.http.headers import Pair

if TYPE_CHECKING:
    from adc.codecs.http1.settings import Http1Settings

_NO_LIMIT: Final = 1 << 30
_BLANK_LINE: Final = b"\r\n\r\n"
_SLASH: Final = 47
_METHODS: Final = {
    name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
}
_HTTP_1_1: Final = b" HTTP/1.1\r\n"


class _NoFlow:
    """Stands in for the protocol that the parser would pause: it never gets content to read."""

    _reading_paused = False

    def pause_reading(self) -> None: ...

    def resume_reading(self, resume_parser: bool = True) -> None: ...


_NO_FLOW: Final = cast(BaseProtocol, _NoFlow())


class _Events:
    """The functions that httptools calls."""

    __slots__ = ("on_header", "on_url")

    def __init__(self, on_url: Callable[[bytes], None], on_header: Callable[[bytes, bytes], None]) -> None:
        self.on_url = on_url
        self.on_header = on_header


class HeadParser:
    """Parses the heads of one connection, which come one at a time, whole or in parts, and without content."""

    __slots__ = (
        "_events",
        "_fields",
        "_has_part",
        "_most_bytes",
        "_most_fields",
        "_quick",
        "_settings",
        "_strict",
        "_urls",
    )

    def __init__(self, settings: Http1Settings) -> None:
        self._settings = settings
        self._most_bytes = min(settings.target_bytes, settings.field_bytes)
        self._most_fields = settings.header_count
        self._urls: list[bytes] = []
        self._fields = RequestFields()
        self._events = _Events(self._urls.append, self._fields.add)
        self._quick: Any = None
        self._strict: Any = None
        self._has_part = False

    def feed_data(self, data: bytes) -> ParsedHead | None:
        """Parse `data`, which ends within a head or with it; return the head if it is complete.

        Raises what aiohttp's parser raises for a head that is malformed or over a limit.
        """
        head = self.feed_ordinary(data)
        return head if head is not None else self.feed_strictly(data)

    def feed_ordinary(self, data: bytes) -> ParsedHead | None:
        """Return the head `data`, None if it is not whole and ordinary."""
        if len(data) > self._most_bytes or self._has_part or not data.endswith(_BLANK_LINE):
            return None
        if self._quick is None:
            self._quick = httptools.HttpRequestParser(self._events)
        self._urls.clear()
        self._fields.begin()
        head: ParsedHead | None = None
        try:
            self._quick.feed_data(data)
            head = self._ordinary(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            head = None
        self._fields.end()
        if head is None:
            self._quick = None
        return head

    def feed_alone(self, data: bytes) -> ParsedHead | None:
        """Return the head `data`, None if it is not an ordinary one without content, or if there is anything behind it:
        its first blank line need not be looked for."""
        head = self.feed_ordinary(data)
        return None if self._fields.framed else head

    def feed_strictly(self, data: bytes) -> ParsedHead | None:
        """Do the same as `feed_data` with aiohttp's parser alone."""
        if self._strict is None:
            self._strict = _strict_parser(self._settings)
        messages = self._strict.feed_data(data)[0]
        self._has_part = not messages
        if not messages:
            return None
        if len(messages) > 1:
            raise Refused(400, "bad_request", "the request head is malformed")
        message = messages[0][0]
        major, minor = message.version
        lines: list[Pair] = list(message.raw_headers)
        closes, upgrade = bool(message.should_close), bool(message.upgrade)
        return ParsedHead(message.method, message.path, major, minor, lines, closes, upgrade)

    def _ordinary(self, head: bytes) -> ParsedHead | None:
        """Return what httptools read of `head`, None if aiohttp's parser might reject it or read something else."""
        method = "GET" if head.startswith(b"GET ") else _METHODS.get(self._quick.get_method())
        if method is None or len(self._urls) != 1:
            return None
        fields, url = self._fields, self._urls[0]
        if fields.odd or len(fields.lines) > self._most_fields or not fields.hosted:
            return None
        end = len(method) + 1 + len(url)
        if head[end : end + len(_HTTP_1_1)] != _HTTP_1_1:
            return None  # another version, or blanks in the request line
        if not url or not url.isascii() or url[0] != _SLASH or (len(url) > 1 and url[1] == _SLASH):
            return None
        connection = fields.connection
        closes = False
        if connection is not None and connection != b"keep-alive" and connection != b"Keep-Alive":
            if connection != b"close" and connection != b"Close":
                return None  # it has other options
            closes = True
        if fields.framed:
            self._quick = None  # it waits for content, which is read elsewhere
        return ParsedHead(method, url.decode("ascii"), 1, 1, fields.lines, closes, False, fields)


def _strict_parser(settings: Http1Settings) -> Any:
    """Return aiohttp's parser, set up for heads alone: it does not look for content behind them."""
    return HttpRequestParser(
        _NO_FLOW,
        settings.loop,
        _NO_LIMIT,
        max_line_size=settings.target_bytes,
        max_field_size=settings.field_bytes,
        max_headers=settings.header_count,
        response_with_body=False,
        auto_decompress=False,
    )
