"""Error pages in place of the content of the application's own errors."""

from __future__ import annotations

from typing import Final

from adc.http.headers import Headers
from adc.http.message import Response
from adc.proxy.exchange import Exchange
from adc.proxy.replies import Replies, wants_json
from adc.telemetry.record import COMPLETE

_OF_CONTENT: Final = frozenset(
    {
        b"accept-ranges",
        b"content-digest",
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-location",
        b"content-md5",
        b"content-range",
        b"content-type",
        b"digest",
        b"etag",
        b"last-modified",
        b"repr-digest",
    }
)
"""Fields that describe the content which the page replaces. All others stay."""


class Intercept:
    """Response stage: replaces the content of responses with one of `statuses`; status and other fields stay.

    Responses of plugins pass, and those of adc itself have their page already.
    """

    __slots__ = ("_replies", "_statuses")

    def __init__(self, replies: Replies, statuses: frozenset[int]) -> None:
        self._replies = replies
        self._statuses = statuses

    def __call__(self, exchange: Exchange, response: Response) -> InsteadOf | None:
        if response.status not in self._statuses or exchange.end_reason != COMPLETE:
            return None
        headers = response.headers
        was_json = b"json" in (headers.get(b"content-type") or b"").partition(b";")[0].lower()
        as_json = wants_json(exchange.request, was_json)
        kind, page = self._replies.page(response.status, as_json, exchange.request_id)
        lines = [pair for pair in headers.pairs if pair[0].lower() not in _OF_CONTENT]
        lines += [kind, (b"Vary", b"Accept")]
        if b"x-request-id" not in headers:
            lines.append((b"X-Request-Id", exchange.request_id.encode()))
        if b"cache-control" not in headers:
            lines.append((b"Cache-Control", b"no-store"))
        response.headers = Headers(lines)
        response.body_length = len(page)
        response.trailer = b""
        return InsteadOf(b"" if exchange.request.method == "HEAD" else page)


class InsteadOf:
    """Sends `page` at once, and drops what the member sends."""

    __slots__ = ("_page", "changes")

    def __init__(self, page: bytes) -> None:
        self.changes = True
        self._page = page

    def feed(self, data: bytes, end: bool) -> bytes:
        """Return the page the first time, then nothing."""
        page, self._page = self._page, b""
        return page
