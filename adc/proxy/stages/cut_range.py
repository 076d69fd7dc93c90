"""Byte ranges of responses whose whole content was fetched for the sake of a plugin that has left them as they are."""

from __future__ import annotations

import asyncio

from adc.cache.preconditions import if_range_holds
from adc.http.headers import Headers
from adc.http.message import Response
from adc.http.ranges import ByteRange, UnsatisfiableError, content_range, parse_range
from adc.proxy.body_filter import BodyFilter
from adc.proxy.exchange import Exchange
from adc.proxy.plugins.interception import Interception
from adc.proxy.states import ENDED

_IN_UNSATISFIED = frozenset({b"cache-control", b"date", b"etag", b"last-modified", b"vary"})
_NOTHING = ByteRange(0, -1)


class CutRange:
    """Response stage that answers a Range which the member was not sent. Only content of known length that is the same
    on each request, as its validator says, has parts; a request for several ranges gets all of it."""

    __slots__ = ()

    def __call__(self, exchange: Exchange, response: Response) -> BodyFilter | None:
        plugins = exchange.plugins
        if plugins is None or plugins.asked_range is None or not _has_parts(exchange, response):
            return None
        if not _wanted(plugins, response, exchange.started):
            return None
        try:
            ranges = parse_range(plugins.asked_range, response.body_length)
        except UnsatisfiableError:
            ranges = [_NOTHING]
        if ranges is None or len(ranges) > 1:
            return None
        part = ranges[0]
        _restate(response, part)
        exchange.status = response.status
        return Cut(exchange, part)


def _has_parts(exchange: Exchange, response: Response) -> bool:
    headers, plugins = response.headers, exchange.plugins
    return (
        response.status == 200
        and exchange.request.method == "GET"
        and response.body_length > 0
        and (plugins is None or not plugins.changes)
        and b"content-encoding" not in headers
        and (headers.get(b"accept-ranges") or b"bytes").strip().lower() == b"bytes"
        and _is_same_each_time(headers)
    )


def _is_same_each_time(headers: Headers) -> bool:
    tag = headers.get(b"etag")
    return b"last-modified" in headers if tag is None else not tag.startswith(b"W/")


def _wanted(plugins: Interception, response: Response, now: float) -> bool:
    """True unless If-Range names another version (RFC 9110 section 13.1.5)."""
    return plugins.if_range is None or if_range_holds(plugins.if_range, response.headers, now)


def _restate(response: Response, part: ByteRange) -> None:
    """Make a 206 of the head, or a 416 without a satisfiable range."""
    headers, total = response.headers, response.body_length
    response.body_length = part.length
    if part.length:
        response.status, response.reason = 206, b"Partial Content"
        headers.set(b"Content-Range", content_range(part, total))
        return
    response.status, response.reason = 416, b"Range Not Satisfiable"
    response.headers = Headers([pair for pair in headers if pair[0].lower() in _IN_UNSATISFIED])
    response.headers.add(b"Content-Range", b"bytes */%d" % total)


class Cut:
    """Passes one part of the content, and ends the response behind it."""

    __slots__ = ("_exchange", "_part", "_position", "changes")

    def __init__(self, exchange: Exchange, part: ByteRange) -> None:
        self.changes = True
        self._exchange: Exchange | None = exchange
        self._part = part
        self._position = 0

    def feed(self, data: bytes, end: bool) -> bytes:
        start, part = self._position, self._part
        self._position += len(data)
        if self._position > part.last and not end:
            exchange, self._exchange = self._exchange, None
            if exchange is not None:
                asyncio.get_running_loop().call_soon(_finish, exchange)
        return data[max(0, part.first - start) : max(0, part.last + 1 - start)]


def _finish(exchange: Exchange) -> None:
    """End the response without the rest of the member's content, unless its end has come meanwhile."""
    if exchange.state == ENDED:
        return
    if exchange.attempt is not None:
        exchange.attempt.cancel()
    exchange.pass_on(b"", True)
