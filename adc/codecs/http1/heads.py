"""Message heads as HTTP/1.1 bytes (RFC 9112 sections 3, 4 and 6)."""

from __future__ import annotations

from http import HTTPStatus

from adc.http.headers import Pair
from adc.http.message import UNKNOWN_LENGTH

_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode("ascii"))
    for status in HTTPStatus
}
_EXPECTS_CONTENT = frozenset({"POST", "PUT", "PATCH"})


def status_line(status: int, reason: bytes) -> bytes:
    """The status line; the standard phrase stands for an empty reason."""
    if reason:
        return b"HTTP/1.1 %d %b\r\n" % (status, reason)
    return _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status


def field_lines(pairs: list[Pair]) -> bytes:
    """Field lines, each with its CRLF."""
    if not pairs:
        return b""
    return b"\r\n".join(map(b": ".join, pairs)) + b"\r\n"


def request_head(method: str, target: str, lines: list[Pair], body_length: int, upgrade: bytes) -> bytes:
    """A request head as sent to a member, its framing included.

    `lines` hold neither framing nor hop-by-hop fields, and one at least. Content of unknown length is chunked;
    a method that usually has content says so even when there is none (RFC 9110 section 8.6).
    """
    last = b"\r\nConnection: upgrade\r\nUpgrade: %b\r\n" % upgrade if upgrade else b"\r\n"
    if body_length > 0:
        last += b"Content-Length: %d\r\n" % body_length
    elif body_length == UNKNOWN_LENGTH:
        last += b"Transfer-Encoding: chunked\r\n"
    elif method in _EXPECTS_CONTENT:
        last += b"Content-Length: 0\r\n"
    head = f"{method} {target} HTTP/1.1\r\n".encode("utf-8", "surrogateescape")
    return b"%b%b%b\r\n" % (head, b"\r\n".join(map(b": ".join, lines)), last)


def chunk(data: bytes) -> bytes:
    """The line before a chunk's data (RFC 9112 section 7.1)."""
    return b"%x\r\n" % len(data)


LAST_CHUNK = b"0\r\n\r\n"
