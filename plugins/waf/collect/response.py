"""Variables of the response."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from adc_plugins.waf.collect.exchange import Collection, Exchange, Scalar, first_value, names_of

_REASONS: Final = {int(status): status.phrase.encode() for status in HTTPStatus}


def _status(exchange: Exchange) -> bytes:
    return b"%d" % exchange.response_status if exchange.response_status else b""


def _status_line(exchange: Exchange) -> bytes:
    reason = _REASONS.get(exchange.response_status, b"")
    return (
        b"%b %b %b" % (exchange.response_protocol, _status(exchange), reason)
        if exchange.response_status
        else b""
    )


def _content_type(exchange: Exchange) -> bytes:
    return first_value(exchange.response_headers, b"content-type").partition(b";")[0].strip()


def _content_length(exchange: Exchange) -> bytes:
    if exchange.response_body:
        return b"%d" % len(exchange.response_body)
    return first_value(exchange.response_headers, b"content-length") or b"0"


SCALARS: Final[Mapping[str, Scalar]] = {
    "OUTBOUND_DATA_ERROR": lambda exchange: b"1" if exchange.response_truncated else b"0",
    "RESPONSE_BODY": lambda exchange: exchange.response_body,
    "RESPONSE_CONTENT_LENGTH": _content_length,
    "RESPONSE_CONTENT_TYPE": _content_type,
    "RESPONSE_PROTOCOL": lambda exchange: exchange.response_protocol,
    "RESPONSE_STATUS": _status,
    "STATUS_LINE": _status_line,
    "STREAM_OUTPUT_BODY": lambda exchange: exchange.response_body,
}

COLLECTIONS: Final[Mapping[str, Collection]] = {
    "RESPONSE_HEADERS": lambda exchange: exchange.response_headers,
    "RESPONSE_HEADERS_NAMES": lambda exchange: names_of(exchange.response_headers),
}
