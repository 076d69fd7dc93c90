"""Compression on the way to the client, and decoding for a client that does not take what the member sent."""

from __future__ import annotations

from adc.compression.decoders import decoder
from adc.compression.eligibility import (
    ask_for_identity,
    client_accepts,
    client_takes,
    eligible,
    not_modified_varies,
    removable_coding,
)
from adc.compression.encoders import ContentCoding, Encoder, content_coding
from adc.compression.negotiation import negotiate
from adc.compression.options import CompressionOptions
from adc.compression.representation import recode, restate_validator, vary_by_coding
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.proxy.body_filter import BodyFilter
from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Action
from adc.proxy.stages.unpack import Unpacker

_EVENT_STREAM = b"text/event-stream"


class AskForIdentity:
    """Request stage: the member is asked for plain content."""

    __slots__ = ("_next",)

    def __init__(self, following: Action[Exchange]) -> None:
        self._next = following

    def __call__(self, exchange: Exchange) -> None:
        ask_for_identity(exchange.request)
        self._next(exchange)


class Compress:
    """Response stage. Whatever reads or changes content comes before it, and sees plain content."""

    __slots__ = ("_codings", "_options")

    def __init__(self, options: CompressionOptions) -> None:
        self._options = options
        self._codings = {name: content_coding(name, options.levels[name]) for name in options.codings}

    def __call__(self, exchange: Exchange, response: Response) -> BodyFilter | None:
        request, headers, options = exchange.request, response.headers, self._options
        if response.status == 304:
            if not_modified_varies(response, options):
                vary_by_coding(headers)
            restate_validator(headers, request.headers.joined(b"if-none-match"))
            return None
        if b"content-encoding" in headers:
            return _decoding(exchange, response)
        if not eligible(response, options):
            return None
        vary_by_coding(headers)
        name = negotiate(client_accepts(request), options.codings)
        if name is None:
            return None
        if request.method == "HEAD":
            _recode(response, name)
            return None
        return EncodeBody(response, self._codings[name], options.min_size)


def _recode(response: Response, coding: str | None) -> None:
    recode(response.headers, coding)
    response.body_length = UNKNOWN_LENGTH


def _decoding(exchange: Exchange, response: Response) -> BodyFilter | None:
    coding = removable_coding(response)
    found = decoder(coding)
    if found is None:
        return None
    vary_by_coding(response.headers)
    if client_takes(exchange.request, coding):
        return None
    _recode(response, None)
    if exchange.request.method != "HEAD":
        exchange.unpacker = Unpacker(found)
    return None


class EncodeBody:
    """Encodes what passes; with the first piece it settles the head, which is sent after that.

    A body that is there as a whole is encoded in one call (and gets a Content-Length), or left alone if it
    turns out smaller than `min_size`. Of a body whose length nobody knows, and of server-sent events, every
    piece is flushed: it is all that the member has sent so far, and nobody knows when more will come.
    """

    __slots__ = ("_coding", "_encoder", "_flushing", "_min_size", "_response", "changes")

    def __init__(self, response: Response, coding: ContentCoding, min_size: int) -> None:
        content_type = response.headers.get(b"content-type") or b""
        self._response: Response | None = response
        self.changes = True
        self._coding = coding
        self._min_size = min_size
        self._encoder: Encoder | None = None
        events = content_type.lower().startswith(_EVENT_STREAM)
        self._flushing = events or response.body_length == UNKNOWN_LENGTH

    def feed(self, data: bytes, end: bool) -> bytes:
        if self._response is not None:
            response, self._response = self._response, None
            if end and len(data) < self._min_size:
                return data
            _recode(response, self._coding.name)
            if end:
                return self._coding.whole(data)
            self._encoder = self._coding.encoder()
        return data if self._encoder is None else self._encode(self._encoder, data, end)

    def _encode(self, encoder: Encoder, data: bytes, end: bool) -> bytes:
        encoded = encoder.encode(data) if data else b""
        if end:
            return encoded + encoder.finish()
        return encoded + encoder.flush() if data and self._flushing else encoded
