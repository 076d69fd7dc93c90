"""Escapes with a backslash: JavaScript, CSS, ANSI C; and hexadecimal literals of SQL."""

from __future__ import annotations

import re

from ..expression import Expression
from .model import Transformation
from .tokens import TokenTable, replace_tokens

_BACKSLASH = Expression(rb"\\")
_CONTROLS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_OCTAL = b"01234567"
_HEX = b"0123456789abcdefABCDEF"


def _low_byte(digits: bytes) -> bytes:
    """Return the lowest byte of a hexadecimal number; full-width ASCII (FF01 to FF5E) becomes ASCII."""
    low = int(digits[-2:], 16)
    if digits[-4:-2].lower() == b"ff" and 0 < low < 0x5F:
        low += 0x20
    return bytes((low,))


def _javascript_character(token: bytes) -> bytes:
    body = token[1:]
    if len(body) == 1:
        return bytes((body[0] - 0x30,)) if body in _OCTAL else _CONTROLS.get(body, body)
    if body[0:1] == b"u":
        return _low_byte(body[1:])
    if body[0:1] == b"x":
        return bytes((int(body[1:], 16),))
    return bytes((int(body, 8),))


_JAVASCRIPT = re.compile(rb"(\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-3][0-7]{0,2}|[4-7][0-7]?|.))", re.DOTALL)
_JAVASCRIPT_TABLE = TokenTable(_javascript_character)


def js_decode(value: bytes) -> bytes:
    r"""Decode `\uHHHH` (its low byte), `\xHH`, octal and one-letter escapes."""
    if b"\\" not in value:
        return value
    return replace_tokens(value, _JAVASCRIPT, _JAVASCRIPT_TABLE.__getitem__)


def _css_character(token: bytes) -> bytes:
    digits = token[1:].rstrip(b" \t\n\v\f\r")
    if not digits or digits[0] not in _HEX:
        return token[1:].replace(b"\n", b"")
    if len(digits) < 4 or (len(digits) > 4 and digits[: len(digits) - 4].strip(b"0")):
        return bytes((int(digits[-2:], 16),))
    return _low_byte(digits)


_CSS = re.compile(rb"(\\(?:[0-9a-fA-F]{1,6}[ \t\n\v\f\r]?|.|\Z))", re.DOTALL)
_CSS_TABLE = TokenTable(_css_character)


def css_decode(value: bytes) -> bytes:
    r"""Decode `\H` to `\HHHHHH` with one space behind; drop the backslash before anything else."""
    if b"\\" not in value:
        return value
    return replace_tokens(value, _CSS, _CSS_TABLE.__getitem__)


def _ansi_character(token: bytes) -> bytes:
    body = token[1:]
    if body[0] in _OCTAL:
        return bytes((int(body, 8) & 0xFF,))
    if len(body) == 3:
        return bytes((int(body[1:], 16),))
    return _CONTROLS.get(body, body)


_ANSI = re.compile(rb"(\\(?:[xX][0-9a-fA-F]{2}|[0-7]{1,3}|.))", re.DOTALL)
_ANSI_TABLE = TokenTable(_ansi_character)


def escape_seq_decode(value: bytes) -> bytes:
    r"""Decode the escapes of ANSI C: `\n`, `\xHH`, octal; drop the backslash before anything else."""
    if b"\\" not in value:
        return value
    return replace_tokens(value, _ANSI, _ANSI_TABLE.__getitem__)


_SQL_HEX = re.compile(rb"(0[xX](?:[0-9a-fA-F]{2})+)")


def sql_hex_decode(value: bytes) -> bytes:
    """Replace each literal `0x6162...` by the bytes it stands for."""
    return replace_tokens(value, _SQL_HEX, lambda token: bytes.fromhex(token[2:].decode()))


ESCAPES = (
    Transformation("jsDecode", js_decode, _BACKSLASH),
    Transformation("cssDecode", css_decode, _BACKSLASH),
    Transformation("escapeSeqDecode", escape_seq_decode, _BACKSLASH),
    Transformation("sqlHexDecode", sql_hex_decode, Expression(rb"0x[0-9a-f]{2}", caseless=True)),
)
