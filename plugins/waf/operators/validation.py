"""Checks of bytes and encodings; an operator matches what is not valid."""

from __future__ import annotations

import re

from ..expression import Expression
from .model import Match, Operator


class ValidateByteRange(Operator):
    """The value has a byte outside of the ranges, such as `9,10,32-126`."""

    def __init__(self, argument: bytes) -> None:
        allowed: set[int] = set()
        for item in argument.split(b","):
            first, _, last = item.strip().partition(b"-")
            allowed.update(_bytes_between(first, last or first))
        self._allowed = bytes(sorted(allowed))
        refused = [byte for byte in range(256) if byte not in allowed]
        self.prefilter = (Expression(_class_of(refused)),) if refused and 0x0A not in refused else None

    def match(self, value: bytes) -> Match | None:
        """Return the first byte that is not allowed."""
        refused = value.translate(None, self._allowed)
        return (refused[:1],) if refused else None


def _bytes_between(first: bytes, last: bytes) -> range:
    start, end = int(first), int(last)
    if not 0 <= start <= end <= 255:
        raise ValueError(f"{start}-{end} is no range of bytes; bytes are 0 to 255")
    return range(start, end + 1)


def _class_of(members: list[int]) -> bytes:
    return b"[%s]" % b"".join(b"\\x%02x" % byte for byte in members)


_BAD_ESCAPE = re.compile(rb"%(?![0-9a-fA-F]{2})")


class ValidateUrlEncoding(Operator):
    """The value has a percent sign without two hexadecimal digits behind it."""

    prefilter = (Expression(rb"%"),)

    def match(self, value: bytes) -> Match | None:
        """Return the percent sign and what follows it."""
        found = _BAD_ESCAPE.search(value)
        return None if found is None else (value[found.start() : found.start() + 3],)


class ValidateUtf8Encoding(Operator):
    """The value is not UTF-8: truncated, overlong, a surrogate, or beyond U+10FFFF."""

    prefilter = (Expression(rb"[\x80-\xff]"),)

    def match(self, value: bytes) -> Match | None:
        """Return the first bytes that are not valid."""
        if value.isascii():
            return None
        try:
            value.decode()
        except UnicodeDecodeError as error:
            return (value[error.start : error.end],)
        return None
