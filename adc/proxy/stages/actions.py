"""Actions that respond without a member, and the one that chooses among actions."""

from __future__ import annotations

from collections.abc import Callable

from adc.http.headers import Headers, Pair
from adc.http.message import Request, Response
from adc.proxy.pipeline import Action
from adc.proxy.replies import Replies
from adc.proxy.upstream.request import UpstreamRequest


class Respond:
    """Sends each request the same response."""

    __slots__ = ("_body", "_lines", "_status")

    def __init__(self, status: int, lines: list[Pair], body: bytes) -> None:
        self._status = status
        self._lines = lines
        self._body = body

    def __call__(self, upstream: UpstreamRequest) -> None:
        response = Response(self._status, Headers(self._lines), b"", len(self._body))
        upstream.respond(response, b"" if upstream.request.method == "HEAD" else self._body, True)


class RespondPage:
    """Sends each request the error page of `status`, as HTML or JSON, with the fields in `lines`."""

    __slots__ = ("_lines", "_replies", "_status")

    def __init__(self, status: int, lines: list[Pair], replies: Replies) -> None:
        self._status = status
        self._lines = lines
        self._replies = replies

    def __call__(self, upstream: UpstreamRequest) -> None:
        request = upstream.request
        response, body = self._replies.error(self._status, request, upstream.request_id)
        for name, value in self._lines:
            response.headers.set(name, value)
        upstream.respond(response, b"" if request.method == "HEAD" else body, True)


class Redirect:
    """Sends the client elsewhere; `location` returns the target of a request."""

    __slots__ = ("_location", "_status")

    def __init__(self, status: int, location: Callable[[Request], str]) -> None:
        self._status = status
        self._location = location

    def __call__(self, upstream: UpstreamRequest) -> None:
        location = self._location(upstream.request).encode("latin-1")
        response = Response(self._status, Headers([(b"Location", location)]), b"", 0)
        upstream.respond(response, b"", True)


class Split:
    """Passes each request to one of several actions."""

    __slots__ = ("_choose",)

    def __init__(self, choose: Callable[[Request], Action[UpstreamRequest]]) -> None:
        self._choose = choose

    def __call__(self, upstream: UpstreamRequest) -> None:
        self._choose(upstream.request)(upstream)
