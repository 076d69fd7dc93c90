"""Whitespace, NUL bytes and the characters that a shell ignores."""

from __future__ import annotations

import re

from ..expression import Expression
from .model import Transformation

_SPACES = b" \t\n\v\f\r"
_ALL_SPACES = _SPACES + b"\xc2\xa0"
_TO_SPACE = bytes.maketrans(_SPACES, b" " * len(_SPACES))
_MANY_SPACES = re.compile(rb" {2,}")


def compress_whitespace(value: bytes) -> bytes:
    """Replace each run of whitespace by one space."""
    value = value.translate(_TO_SPACE)
    return _MANY_SPACES.sub(b" ", value) if b"  " in value else value


def remove_whitespace(value: bytes) -> bytes:
    """Remove whitespace and both bytes of a no-break space in UTF-8."""
    return value.translate(None, _ALL_SPACES)


def trim(value: bytes) -> bytes:
    """Remove whitespace at both ends."""
    return value.strip(_SPACES)


def trim_left(value: bytes) -> bytes:
    """Remove whitespace at the start."""
    return value.lstrip(_SPACES)


def trim_right(value: bytes) -> bytes:
    """Remove whitespace at the end."""
    return value.rstrip(_SPACES)


def remove_nulls(value: bytes) -> bytes:
    """Remove NUL bytes."""
    return value.replace(b"\x00", b"")


def replace_nulls(value: bytes) -> bytes:
    """Replace NUL bytes by spaces."""
    return value.replace(b"\x00", b" ")


_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_COMMAND_TABLE = bytes.maketrans(_UPPER + b",;\t\r\n", _UPPER.lower() + b" " * 5)
_COMMAND_IGNORED = b"\"'\\^"


def cmd_line(value: bytes) -> bytes:
    """Normalise a command line as a shell reads it.

    Quotes, backslashes and carets go; separators become one space, and none before `/` and `(`; letters become small.
    """
    value = value.translate(_COMMAND_TABLE, _COMMAND_IGNORED)
    if b" " not in value:
        return value
    if b"  " in value:
        value = _MANY_SPACES.sub(b" ", value)
    return value.replace(b" /", b"/").replace(b" (", b"(")


SPACES = (
    Transformation("compressWhitespace", compress_whitespace, Expression(rb"[\x09-\x0d]|\x20\x20")),
    Transformation("removeWhitespace", remove_whitespace, Expression(rb"[\x09-\x0d\x20\xa0\xc2]")),
    Transformation("trim", trim, Expression(rb"^[\x09-\x0d\x20]|[\x09-\x0d\x20]$")),
    Transformation("trimLeft", trim_left, Expression(rb"^[\x09-\x0d\x20]")),
    Transformation("trimRight", trim_right, Expression(rb"[\x09-\x0d\x20]$")),
    Transformation("removeNulls", remove_nulls, Expression(rb"\x00")),
    Transformation("replaceNulls", replace_nulls, Expression(rb"\x00")),
    Transformation("cmdLine", cmd_line, Expression(rb"[\"'\\^,;\t\r\n]|\x20[\x20/(]"), cases=True),
)
