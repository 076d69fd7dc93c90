"""Variables that change when the request's body has arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from adc_plugins.waf.bodies.parsed import Pair
from adc_plugins.waf.bodies.percent import has_invalid_escape
from adc_plugins.waf.collect.exchange import Collection, Exchange, Scalar, names_of
from adc_plugins.waf.collect.request_head import request_line

_MULTIPART_FLAGS: Final = (
    "MULTIPART_BOUNDARY_QUOTED",
    "MULTIPART_BOUNDARY_WHITESPACE",
    "MULTIPART_CRLF_LF_LINES",
    "MULTIPART_DATA_AFTER",
    "MULTIPART_DATA_BEFORE",
    "MULTIPART_FILE_LIMIT_EXCEEDED",
    "MULTIPART_HEADER_FOLDING",
    "MULTIPART_INVALID_HEADER_FOLDING",
    "MULTIPART_INVALID_PART",
    "MULTIPART_INVALID_QUOTING",
    "MULTIPART_LF_LINE",
    "MULTIPART_MISSING_SEMICOLON",
    "MULTIPART_SEMICOLON_MISSING",
    "MULTIPART_STRICT_ERROR",
    "MULTIPART_UNMATCHED_BOUNDARY",
)


def _flag(value: bool) -> bytes:
    return b"1" if value else b"0"


def _arguments(exchange: Exchange) -> list[Pair]:
    body = exchange.parsed.arguments
    return exchange.query_arguments + body if body else exchange.query_arguments


def _posted(exchange: Exchange) -> Sequence[Pair]:
    """Return the fields of a form; values of JSON are in ARGS alone."""
    return exchange.parsed.arguments if exchange.processor != "JSON" else ()


def _combined_size(exchange: Exchange) -> bytes:
    return b"%d" % sum(len(name) + len(value) for name, value in _arguments(exchange))


def _urlencoded_error(exchange: Exchange) -> bytes:
    return _flag(has_invalid_escape(exchange.query) or exchange.parsed.urlencoded_error)


def _request_body(exchange: Exchange) -> bytes:
    """Return the body unless a processor has read all of it into other variables, as ModSecurity 2 does."""
    read = exchange.processor in ("MULTIPART", "JSON", "XML") and not exchange.body_error
    return b"" if read and not exchange.body_forced else exchange.body


def _full_request(exchange: Exchange) -> bytes:
    lines = [
        request_line(exchange),
        *(b"%b: %b" % pair for pair in exchange.facts.headers),
        b"",
        exchange.body,
    ]
    return b"\n".join(lines)


def _error_message(exchange: Exchange) -> bytes:
    error = exchange.body_error
    return (
        f"{exchange.processor} parsing error: {error}".encode("utf-8", "backslashreplace") if error else b""
    )


def _parsed_flag(name: str, exchange: Exchange) -> bytes:
    return exchange.parsed.scalars.get(name, b"0")


def _parsed_collection(name: str, exchange: Exchange) -> Sequence[Pair]:
    return exchange.parsed.collections.get(name, ())


def _error(exchange: Exchange) -> bytes:
    return _flag(bool(exchange.body_error))


SCALARS: Final[Mapping[str, Scalar]] = {
    "ARGS_COMBINED_SIZE": _combined_size,
    "FILES_COMBINED_SIZE": lambda exchange: b"%d" % sum(len(file.content) for file in exchange.parsed.files),
    "FULL_REQUEST": _full_request,
    "FULL_REQUEST_LENGTH": lambda exchange: b"%d" % len(_full_request(exchange)),
    "INBOUND_DATA_ERROR": lambda exchange: _flag(exchange.body_truncated),
    "REQBODY_ERROR": _error,
    "REQBODY_ERROR_MSG": _error_message,
    "REQBODY_PROCESSOR": lambda exchange: exchange.processor.encode(),
    "REQBODY_PROCESSOR_ERROR": _error,
    "REQBODY_PROCESSOR_ERROR_MSG": _error_message,
    "REQUEST_BODY": _request_body,
    "REQUEST_BODY_LENGTH": lambda exchange: b"%d" % len(exchange.body),
    "STREAM_INPUT_BODY": lambda exchange: exchange.body,
    "URLENCODED_ERROR": _urlencoded_error,
    **{name: partial(_parsed_flag, name) for name in _MULTIPART_FLAGS},
}

COLLECTIONS: Final[Mapping[str, Collection]] = {
    "ARGS": _arguments,
    "ARGS_NAMES": lambda exchange: names_of(_arguments(exchange)),
    "ARGS_POST": _posted,
    "ARGS_POST_NAMES": lambda exchange: names_of(_posted(exchange)),
    "FILES": lambda exchange: [(file.field, file.name) for file in exchange.parsed.files],
    "FILES_NAMES": lambda exchange: [(file.field, file.field) for file in exchange.parsed.files],
    "FILES_SIZES": lambda exchange: [
        (file.field, b"%d" % len(file.content)) for file in exchange.parsed.files
    ],
    "FILES_TMP_CONTENT": lambda exchange: [(file.field, file.content) for file in exchange.parsed.files],
    "XML": lambda exchange: ((b"", b"[XML document tree]"),) if exchange.parsed.document else (),
    **{
        name: partial(_parsed_collection, name)
        for name in ("MULTIPART_FILENAME", "MULTIPART_NAME", "MULTIPART_PART_HEADERS")
    },
}
