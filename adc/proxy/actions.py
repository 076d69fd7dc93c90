"""Actions that answer without a member."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from adc.http.headers import Headers, Pair
from adc.http.message import Request, Response

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange


class Respond:
    """Answers each exchange with the same response."""

    __slots__ = ("_body", "_lines", "_status")

    def __init__(self, status: int, lines: list[Pair], body: bytes) -> None:
        self._status = status
        self._lines = lines
        self._body = body

    def __call__(self, exchange: Exchange) -> None:
        response = Response(self._status, Headers(self._lines), b"", len(self._body))
        exchange.respond(response, b"" if exchange.request.method == "HEAD" else self._body, True)


class Redirect:
    """Sends the client elsewhere; `location` gives the target of a request."""

    __slots__ = ("_location", "_status")

    def __init__(self, status: int, location: Callable[[Request], str]) -> None:
        self._status = status
        self._location = location

    def __call__(self, exchange: Exchange) -> None:
        location = self._location(exchange.request).encode("latin-1")
        response = Response(self._status, Headers([(b"Location", location)]), b"", 0)
        exchange.respond(response, b"", True)


class Split:
    """Passes each exchange to one of several actions."""

    __slots__ = ("_choose",)

    def __init__(self, choose: Callable[[Request], Callable[[Exchange], None]]) -> None:
        self._choose = choose

    def __call__(self, exchange: Exchange) -> None:
        self._choose(exchange.request)(exchange)
