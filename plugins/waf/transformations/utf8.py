"""UTF-8."""

from __future__ import annotations

import re

from ..expression import Expression
from .model import Transformation
from .tokens import TokenTable, replace_tokens

_SMALLEST = {2: 0x80, 3: 0x800, 4: 0x10000}
_LARGEST_FIRST_BYTE = 0xF4


def _number(sequence: bytes) -> int:
    number = sequence[0] & (0xFF >> (len(sequence) + 1))
    for byte in sequence[1:]:
        number = number << 6 | byte & 0x3F
    return number


def _character(token: bytes) -> bytes:
    first = token[:1]
    beyond = first if first[0] > _LARGEST_FIRST_BYTE else b""
    if len(token) == 1:
        return beyond
    number = _number(token)
    bad = 0xD800 <= number <= 0xDFFF or number < _SMALLEST[len(token)]
    return b"%s%%u%04x%s" % (beyond, number, first if bad else b"")


_SEQUENCE = re.compile(
    rb"(\x00|[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}|[\xc0-\xf7])"
)
_TABLE = TokenTable(_character)
_TABLE[b"\x00"] = b""


def utf8_to_unicode(value: bytes) -> bytes:
    """Write characters beyond ASCII as `%uHHHH`.

    As in ModSecurity a truncated sequence loses its first byte, an overlong or surrogate one keeps it behind, and a
    NUL byte stays only at the end.
    """
    if value.isascii() and b"\x00" not in value:
        return value
    decoded = replace_tokens(value, _SEQUENCE, _TABLE.__getitem__)
    return decoded + b"\x00" if value.endswith(b"\x00") else decoded


UTF8 = (Transformation("utf8toUnicode", utf8_to_unicode, Expression(rb"[\x00\xc0-\xf7]")),)
