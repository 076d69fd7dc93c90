"""Request heads that aiohttp's parser rejects although HTTP allows them: read a second time in a form that it knows.

* Any token is a method (RFC 9110 section 9.1); llhttp knows a fixed list of them.
* HTTP/1.2 to HTTP/1.9 are read as HTTP/1.1 (RFC 9110 section 2.5).
* Some fields may not be repeated by aiohttp's rules, but neither the framing nor the route depends on them: their
  recipient is the application, and both lines reach it.

What has another meaning after that is not rewritten: the bytes that decide where a message ends are those received.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from adc.codecs.http1.parsed_head import ParsedHead
from adc.codecs.refused import Refused

METHOD_BYTES: Final = 64
_BLANK_LINE: Final = b"\r\n\r\n"

_REQUEST_LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) +[^\r\n ]+ +HTTP/([0-9])\.([0-9])\r\n")
_BEGUN_LINE: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: [^\r\n]*\r?)?")
"""The beginning of a line that may become a request line."""
_HTTP_LINE: Final = re.compile(rb"[^\r\n]* HTTP/[^\r\n]*\r\n")

_USUAL: Final = frozenset(
    b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY"
    b" OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND"
    b" UNLINK UNLOCK UNSUBSCRIBE".split()
)
"""Methods that llhttp takes in a request of HTTP/1; any other is replaced for it by one that has no rules."""
_STAND_IN: Final = b"POST"

_REPEATABLE: Final = frozenset(
    {
        b"content-location",
        b"content-range",
        b"content-type",
        b"etag",
        b"max-forwards",
        b"server",
        b"user-agent",
    }
)
_UNWANTED: Final = b"sec-websocket-key1"
"""Of a draft of WebSocket that aiohttp rejects by this field."""


def speaks_http(head: bytes) -> bool:
    """True if the request line of a parsed `head` names HTTP; llhttp reads requests of RTSP and ICE too."""
    return _HTTP_LINE.match(head) is not None


def may_be_unusual(head: bytes) -> bool:
    """True if what has come of a rejected head can still become one that `read_unusual` reads."""
    line = _REQUEST_LINE.match(head)
    if line is None:
        return _BEGUN_LINE.fullmatch(head) is not None
    method, major, minor = line.groups()
    return method not in _USUAL or major > b"1" or (major == b"1" and minor > b"1") or _is_renamed(head)


def read_unusual(head: bytes, feed: Callable[[bytes], ParsedHead | None]) -> ParsedHead:
    """Return a complete head, read by `feed`, a new parser's.

    Raises `Refused` for another version of HTTP and for a method that is too long, else what `feed` raises.
    """
    line = _REQUEST_LINE.match(head)
    if line is None:
        return _complete(feed(head))
    method, major, minor = line.groups()
    if major > b"1":
        raise Refused(505, "bad_request", f"HTTP/{major.decode()}.{minor.decode()} does not begin like this")
    if len(method) > METHOD_BYTES:
        raise Refused(501, "bad_request", f"the method is over {METHOD_BYTES} bytes")
    fields = head[line.end() - 2 : -4].split(b"\r\n")[1:]
    names = [field.partition(b":")[0] for field in fields]
    parsed = _complete(feed(_request_line(head, line) + _renamed(names, fields)))
    if len(parsed.lines) != len(names):
        raise Refused(400, "bad_request", "the header is malformed")
    parsed.lines = [(name, field[1]) for name, field in zip(names, parsed.lines, strict=True)]
    parsed.method = method.decode("ascii")
    return parsed


def _complete(parsed: ParsedHead | None) -> ParsedHead:
    if parsed is None:
        raise Refused(400, "bad_request", "the request head is malformed")
    return parsed


def _request_line(head: bytes, line: re.Match[bytes]) -> bytes:
    """Return the request line with a method and a version that the parser takes."""
    method, major, minor = line.groups()
    known = method if method in _USUAL else _STAND_IN
    later = major == b"1" and minor > b"1"
    return known + head[line.end(1) : line.start(3)] + (b"1" if later else minor) + b"\r\n"


def _renamed(names: list[bytes], fields: list[bytes]) -> bytes:
    """Return the header, with other names for fields that the parser does not take."""
    seen: set[bytes] = set()
    renamed = []
    for name, field in zip(names, fields, strict=True):
        lower = name.lower()
        if lower in seen or lower == _UNWANTED:
            field = b"x" * len(name) + field[len(name) :]
        elif lower in _REPEATABLE:
            seen.add(lower)
        renamed.append(field)
    return b"\r\n".join(renamed) + _BLANK_LINE


def _is_renamed(head: bytes) -> bool:
    """True if a line of `head` has a name that must be replaced."""
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
    return _UNWANTED in names or any(names.count(name) > 1 for name in _REPEATABLE)
