"""Answering from a stored response."""

from __future__ import annotations

import os

from adc.cache.answer import Answer, answer
from adc.cache.entry import Entry
from adc.cache.files import FileBody
from adc.cache.loans import Loans
from adc.http.headers import Headers, Pair
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.proxy.caching.sending import Content, StoredSending
from adc.proxy.exchange import Exchange
from adc.proxy.pieces import AT_ONCE, Piece


def serve(
    exchange: Exchange,
    entry: Entry,
    loans: Loans,
    cache_status: bytes,
    now: float,
    own: tuple[Pair, ...] = (),
    whole: bool = False,
) -> None:
    """Answer from `entry`, whose content is loaded, at `now` (wall seconds), with `Cache-Status` and the
    lines `own`; `whole` ignores a Range. `loans` are those of the memory tier.

    Content on disk, and what is long, is sent piece by piece as the client takes it.
    """
    request = exchange.request
    boundary = os.urandom(16).hex().encode() if b"range" in request.headers and not whole else b""
    made = answer(request, entry, now, boundary)
    length = UNKNOWN_LENGTH if made.length is None else made.length
    headers = Headers((*made.headers, *own, (b"Cache-Status", cache_status)))
    response = Response(made.status, headers, made.reason, length, dated=True)
    if made.status == 304:
        response.selected = Response(entry.status, entry.headers, b"", entry.length)
    pieces = _pieces(made)
    body = entry.body
    if isinstance(body, bytes) and len(body) <= AT_ONCE and len(pieces) <= 1:
        exchange.respond(response, body[made.span.first : made.span.last + 1] if made.span else b"", True)
        return
    if not pieces:
        exchange.respond(response, b"", True)
        if isinstance(body, FileBody):
            body.close()
        return
    StoredSending(exchange, body if isinstance(body, FileBody) else Content(body, loans), pieces).begin(
        response
    )


def _pieces(made: Answer) -> list[Piece]:
    if made.parts is None:
        return [] if made.span is None else [made.span]
    pieces: list[Piece] = []
    for head, span in made.parts.parts:
        pieces += (head, span)
    return [*pieces, made.parts.closing]
