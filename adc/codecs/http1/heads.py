"""Message heads as HTTP/1.1 bytes (RFC 9112 sections 3, 4 and 6)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from librt.strings import BytesWriter

from adc.http.headers import Pair
from adc.http.message import UNKNOWN_LENGTH, Request
from adc.http.trailers import announceable

_PHRASES: Final = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}
_STATUS_LINES: Final = {
    status: b"HTTP/1.1 %d %b\r\n" % (status, phrase) for status, phrase in _PHRASES.items()
}
_EXPECTS_CONTENT: Final = frozenset({"POST", "PUT", "PATCH"})


def response_head(status: int, reason: bytes, lines: list[Pair], last: bytes) -> bytes:
    """Return a response head; the standard phrase stands for an empty reason.

    `last` are further field lines, each with its CRLF, and the blank line.
    """
    head = begin_response(status, reason, lines)
    head.write(last)
    return head.getvalue()


def begin_response(status: int, reason: bytes, lines: list[Pair]) -> BytesWriter:
    """Return what begins with a status line and `lines`, to which the rest of the response is written."""
    if not reason or reason == _PHRASES.get(status):
        start = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    else:
        start = b"HTTP/1.1 %d %b\r\n" % (status, reason)
    return _begin(start, lines)


def request_head(request: Request, target: str, lines: list[Pair]) -> bytes:
    """Return a request head as sent to a member, with the framing, upgrade and trailers of `request`.

    `lines` hold neither framing nor hop-by-hop fields. Content of unknown length is chunked;
    a method that usually has content says so even when there is none (RFC 9110 section 8.6).
    """
    method, body_length = request.method, request.body_length
    last = _options(request) if request.upgrade or request.takes_trailers else b"\r\n"
    if body_length > 0:
        last = b"Content-Length: %d\r\n%b" % (body_length, last)
    elif body_length == UNKNOWN_LENGTH:
        last = b"Transfer-Encoding: chunked\r\n" + last
        trailer = announceable(request.proxy_fields.get(b"trailer", b""))
        if trailer:
            last = b"Trailer: %b\r\n%b" % (trailer, last)
    elif method in _EXPECTS_CONTENT:
        last = b"Content-Length: 0\r\n" + last
    head = _begin(f"{method} {target} HTTP/1.1\r\n".encode("utf-8", "surrogateescape"), lines)
    head.write(last)
    return head.getvalue()


def _options(request: Request) -> bytes:
    """Return the fields for the member alone, named by `Connection` (RFC 9110 sections 7.8 and 10.1.4), and the empty
    line."""
    if not request.takes_trailers:
        return b"Connection: upgrade\r\nUpgrade: %b\r\n\r\n" % request.upgrade
    if not request.upgrade:
        return b"Connection: TE\r\nTE: trailers\r\n\r\n"
    return b"Connection: upgrade, TE\r\nUpgrade: %b\r\nTE: trailers\r\n\r\n" % request.upgrade


def _begin(start: bytes, lines: list[Pair]) -> BytesWriter:
    head = BytesWriter()
    head.write(start)
    for name, value in lines:
        head.write(name)
        head.write(b": ")
        head.write(value)
        head.write(b"\r\n")
    return head


def chunk(data: bytes) -> bytes:
    """Return the line before a chunk's data (RFC 9112 section 7.1)."""
    return b"%x\r\n" % len(data)


LAST_CHUNK: Final = b"0\r\n\r\n"
END_OF_LAST: Final = b"\r\n" + LAST_CHUNK
"""What follows the data of a chunk with which the content ends."""
_TRAILER: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")


def last_chunk(trailers: list[Pair]) -> bytes:
    """Return the last chunk with a trailer section. Raises ValueError for a field that could be read as another one."""
    lines = [b"%b: %b" % trailer for trailer in trailers]
    if not all(_TRAILER.fullmatch(line) for line in lines):
        raise ValueError("a trailer field is malformed")
    return b"\r\n".join([b"0", *lines, b"", b""])
