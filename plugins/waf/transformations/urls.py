"""URL encoding, with the `%uHHHH` of IIS."""

from __future__ import annotations

import re

from ..expression import Expression
from .best_fit import BEST_FIT
from .model import Transformation
from .tokens import TokenTable, replace_tokens

_HEX = "0123456789abcdefABCDEF"
_BYTES = {b"%%%c%c" % (ord(a), ord(b)): bytes((int(a + b, 16),)) for a in _HEX for b in _HEX}
_ESCAPE = re.compile(rb"(%[0-9a-fA-F]{2})")


def url_decode(value: bytes) -> bytes:
    """Decode `%HH` and `+`; what is no escape stays."""
    value = value.replace(b"+", b" ")
    if b"%" not in value:
        return value
    return replace_tokens(value, _ESCAPE, _BYTES.__getitem__)


def _unicode_character(token: bytes) -> bytes:
    code = int(token[2:], 16)
    low = code & 0xFF
    if code in BEST_FIT:
        low = BEST_FIT[code]
    elif code >> 8 == 0xFF and 0 < low < 0x5F:
        low += 0x20
    return bytes((low,))


class _UnicodeTable(TokenTable):
    """`%HH` from the start, `%uHHHH` as they occur."""

    def __init__(self) -> None:
        super().__init__(_unicode_character)
        self.update(_BYTES)


_UNICODE_ESCAPE = re.compile(rb"(%(?:[0-9a-fA-F]{2}|[uU][0-9a-fA-F]{4}))")
_UNICODE_TABLE = _UnicodeTable()


def url_decode_uni(value: bytes) -> bytes:
    """Decode `%HH`, `+` and `%uHHHH`: its best fit in ASCII, else its low byte."""
    value = value.replace(b"+", b" ")
    if b"%" not in value:
        return value
    return replace_tokens(value, _UNICODE_ESCAPE, _UNICODE_TABLE.__getitem__)


_PLAIN = frozenset(b"*0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ENCODED = [bytes((byte,)) if byte in _PLAIN else b"%%%02x" % byte for byte in range(256)]
_ENCODED[0x20] = b"+"


def url_encode(value: bytes) -> bytes:
    """Encode all but letters, digits and the asterisk."""
    return b"".join(map(_ENCODED.__getitem__, value))


URLS = (
    Transformation("urlDecode", url_decode, Expression(rb"\+|%[0-9a-f]{2}", caseless=True)),
    Transformation(
        "urlDecodeUni", url_decode_uni, Expression(rb"\+|%(?:[0-9a-f]{2}|u[0-9a-f]{4})", caseless=True)
    ),
    Transformation("urlEncode", url_encode, Expression(rb"[^*0-9A-Za-z]")),
)
