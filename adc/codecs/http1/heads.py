"""Message heads as HTTP/1.1 bytes (RFC 9112 sections 3, 4 and 6)."""

from __future__ import annotations

from http import HTTPStatus

from adc.http.headers import Pair
from adc.http.message import UNKNOWN_LENGTH

_PHRASES = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}
_STATUS_LINES = {status: b"HTTP/1.1 %d %b" % (status, phrase) for status, phrase in _PHRASES.items()}
_field_line = b": ".join
_EXPECTS_CONTENT = frozenset({"POST", "PUT", "PATCH"})


def response_head(status: int, reason: bytes, lines: list[Pair], last: bytes) -> bytes:
    """A response head; the standard phrase stands for an empty reason.

    `last` are further field lines, each with its CRLF, and the blank line.
    """
    if not reason or reason == _PHRASES.get(status):
        start = _STATUS_LINES.get(status) or b"HTTP/1.1 %d " % status
    else:
        start = b"HTTP/1.1 %d %b" % (status, reason)
    return b"\r\n".join((start, *map(_field_line, lines), last))


def request_head(method: str, target: str, lines: list[Pair], body_length: int, upgrade: bytes) -> bytes:
    """A request head as sent to a member, its framing included.

    `lines` hold neither framing nor hop-by-hop fields, and one at least. Content of unknown length is chunked;
    a method that usually has content says so even when there is none (RFC 9110 section 8.6).
    """
    last = b"Connection: upgrade\r\nUpgrade: %b\r\n\r\n" % upgrade if upgrade else b"\r\n"
    if body_length > 0:
        last = b"Content-Length: %d\r\n%b" % (body_length, last)
    elif body_length == UNKNOWN_LENGTH:
        last = b"Transfer-Encoding: chunked\r\n" + last
    elif method in _EXPECTS_CONTENT:
        last = b"Content-Length: 0\r\n" + last
    start = f"{method} {target} HTTP/1.1".encode("utf-8", "surrogateescape")
    return b"\r\n".join((start, *map(_field_line, lines), last))


def chunk(data: bytes) -> bytes:
    """The line before a chunk's data (RFC 9112 section 7.1)."""
    return b"%x\r\n" % len(data)


LAST_CHUNK = b"0\r\n\r\n"
