"""Heads of responses that break the grammar as nginx, HAProxy and Apache let them, rewritten in strict form. No I/O.

A strict parser decides what every message is; what it refuses comes here, and goes back to it if nothing in it can be
read in two ways. So two messages never become one.
"""

from __future__ import annotations

import re
from typing import Final

from adc.http.fields import elements

_END: Final = re.compile(rb"\n\r?\n")
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([0-9]) +([0-9]{3})(?: (.*))?", re.DOTALL)
_START: Final = b"HTTP/1."
_LONGEST_LINE: Final = 8 << 10
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FRAMING: Final = (b"content-length", b"transfer-encoding")
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Repaired:
    """A head in strict form, which took `size` bytes of the input. `close`: nothing may follow on the connection."""

    __slots__ = ("close", "head", "size")

    def __init__(self, head: bytes, size: int, close: bool) -> None:
        self.head = head
        self.size = size
        self.close = close


def repaired(data: bytes) -> Repaired | None:
    """Return the head with which `data` begins, None while it is incomplete. Raises ValueError for what cannot be read
    in one way only.

    Lines may end in LF; a folded line is one (RFC 9112 section 5.2); blanks in front of a colon go (section 5.1);
    control characters become spaces (RFC 9110 section 5.5); equal lengths are one; with `chunked` a length goes
    (RFC 9112 section 6.3); HTTP/1.2 to 1.9 are 1.1 (RFC 9110 section 2.5).
    """
    start = blank_lines(data)
    line, ended, _ = data[start : start + _LONGEST_LINE].partition(b"\n")
    if not ended:
        if not _START.startswith(line[: len(_START)]) or len(line) == _LONGEST_LINE:
            raise ValueError("this is not HTTP/1")
        return None
    status = _status_line(_without_cr(line))
    end = _END.search(data, start)
    if end is None:
        return None
    lines = data[start : end.start()].split(b"\n")
    fields, close = _framed(_fields(lines[1:]))
    block = [status, *[b"%b: %b" % field for field in fields], b"", b""]
    return Repaired(b"\r\n".join(block), end.end(), close)


def blank_lines(data: bytes) -> int:
    """Return how many bytes of line ends there are in front of a message (RFC 9112 section 2.2)."""
    return len(data) - len(data.lstrip(b"\r\n"))


def head_size(data: bytes, skip: int) -> int:
    """Return where the head that follows `skip` others ends, all of them in strict form."""
    end = 0
    for _ in range(skip + 1):
        while data[end] in b"\r\n":
            end += 1
        end = data.index(b"\r\n\r\n", end) + 4
    return end


def printable(text: bytes) -> bytes:
    """Return `text` with spaces for its control characters."""
    return _CONTROLS.sub(b" ", text)


def _without_cr(line: bytes) -> bytes:
    line = line[:-1] if line.endswith(b"\r") else line
    if b"\r" in line:
        raise ValueError("a carriage return in the middle of a line")
    return line


def _status_line(line: bytes) -> bytes:
    found = _STATUS_LINE.fullmatch(line)
    if found is None:
        raise ValueError("the status line is malformed")
    minor, status, reason = found.groups()
    return b"HTTP/1.%b %b %b" % (b"0" if minor == b"0" else b"1", status, printable(reason or b""))


def _fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        line = _without_cr(line)
        if line[:1] in (b" ", b"\t"):
            if not fields:
                raise ValueError("the first header line is a continuation")
            name, value = fields.pop()
            fields.append((name, (b"%b %b" % (value, printable(line).strip(b" \t"))).strip(b" ")))
            continue
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if not colon or _NAME.fullmatch(name) is None or b"\0" in value:
            raise ValueError("a header line is malformed")
        if name.lower() in _FRAMING and _CONTROLS.search(value) is not None:
            raise ValueError("a control character in a framing field")
        fields.append((name, printable(value).strip(b" \t")))
    return fields


def _framed(fields: list[tuple[bytes, bytes]]) -> tuple[list[tuple[bytes, bytes]], bool]:
    """Return the fields with at most one statement of the length, and True if that was in doubt."""
    lengths = [value for name, value in fields if name.lower() == b"content-length"]
    codings = [value for name, value in fields if name.lower() == b"transfer-encoding"]
    coding = [each.lower() for value in codings for each in elements(value)]
    kept = [field for field in fields if field[0].lower() not in _FRAMING]
    if coding:
        if lengths and coding != [b"chunked"]:
            raise ValueError("Content-Length together with a transfer coding other than `chunked`")
        return [*kept, (b"Transfer-Encoding", b", ".join(coding))], bool(lengths)
    if not lengths:
        return kept, False
    values = {each.strip(b" \t") for value in lengths for each in value.split(b",")}
    length = values.pop()
    if values or not length.isdigit():
        raise ValueError("conflicting or malformed Content-Length")
    return [*kept, (b"Content-Length", length)], False
