"""Stages that edit targets and fields: each changes the request and calls the next, or changes the response."""

from __future__ import annotations

from typing import Final

from adc.http.message import Request, Response
from adc.http.target import BadTarget
from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Action
from adc.proxy.stages.locations import member_destination
from adc.proxy.upstream.forwarding import DECIDABLE
from adc.routing.edits import HeaderEdits
from adc.routing.rewrite import Rewrite

_WITH_DESTINATION: Final = frozenset({"COPY", "MOVE"})


class RewriteTarget:
    """Sets the path and host that the member sees, and the stripped prefix in `X-Forwarded-Prefix`.

    `scheme` is the scheme that the member sees in a `Destination`; b"" leaves that field alone.
    """

    __slots__ = ("_next", "_rewrite", "_scheme")

    def __init__(self, rewrite: Rewrite, scheme: bytes, following: Action[Exchange]) -> None:
        self._rewrite = rewrite
        self._scheme = scheme
        self._next = following

    def __call__(self, exchange: Exchange) -> None:
        request = exchange.request
        prefix = self._rewrite.prefix(request.path)
        if prefix:
            before = request.headers.joined(b"x-forwarded-prefix") or b""
            request.headers.set(b"X-Forwarded-Prefix", before.rstrip(b"/") + prefix.encode())
        try:
            exchange.target = self._rewrite.target(request.path, request.target)
            if self._scheme and request.method in _WITH_DESTINATION:
                self._rewrite_destination(request)
        except BadTarget:
            exchange.fail(400, "bad_request")
            return
        if self._rewrite.host is not None:
            request.headers.set(b"Host", self._rewrite.host.encode())
        self._next(exchange)

    def _rewrite_destination(self, request: Request) -> None:
        value = request.headers.get(b"destination")
        if value is not None:
            made = member_destination(request, value, self._rewrite, self._scheme)
            request.headers.set(b"Destination", made)


class EditRequest:
    """Edits the request fields. Its decisions about fields that a proxy writes stand."""

    __slots__ = ("_decided", "_edits", "_next", "_route")

    def __init__(self, edits: HeaderEdits, route: str, following: Action[Exchange]) -> None:
        self._edits = edits
        self._decided = frozenset(DECIDABLE.intersection(edits.gone))
        self._route = route
        self._next = following

    def __call__(self, exchange: Exchange) -> None:
        request = exchange.request
        self._edits.apply(request.headers, request, exchange.request_id, self._route)
        exchange.decided = self._decided
        self._next(exchange)


class EditResponse:
    """Edits the response fields."""

    __slots__ = ("_edits", "_route")

    def __init__(self, edits: HeaderEdits, route: str) -> None:
        self._edits = edits
        self._route = route

    def __call__(self, exchange: Exchange, response: Response) -> None:
        self._edits.apply(response.headers, exchange.request, exchange.request_id, self._route)
