"""HTML entities."""

from __future__ import annotations

import re

from ..expression import Expression
from .model import Transformation
from .tokens import TokenTable, replace_tokens

_NAMES = {b"quot": b'"', b"amp": b"&", b"lt": b"<", b"gt": b">", b"nbsp": b"\xa0"}
_LARGEST = 2**63 - 1
_LONGEST = 20
"""More digits than this, without leading zeros, exceed `_LARGEST` in any base that occurs."""


def _number(digits: bytes, base: int) -> bytes:
    """Return the low byte of a number; one that exceeds 63 bits counts as the largest that fits."""
    digits = digits.lstrip(b"0") or b"0"
    value = int(digits, base) if len(digits) <= _LONGEST else _LARGEST
    return bytes((min(value, _LARGEST) & 0xFF,))


def _character(token: bytes) -> bytes:
    body = token[1:].rstrip(b";").lower()
    if body[:2] == b"#x":
        return _number(body[2:], 16)
    if body[:1] == b"#":
        return _number(body[1:], 10)
    return _NAMES[body]


_ENTITY = re.compile(rb"(&(?:#(?:x[0-9a-f]+|[0-9]+)|(?:quot|amp|lt|gt|nbsp)(?![0-9a-z]));?)", re.IGNORECASE)
_TABLE = TokenTable(_character)


def html_entity_decode(value: bytes) -> bytes:
    """Decode numeric entities (their low byte) and `quot`, `amp`, `lt`, `gt`, `nbsp`; the semicolon is optional."""
    if b"&" not in value:
        return value
    return replace_tokens(value, _ENTITY, _TABLE.__getitem__)


ENTITIES = (
    Transformation(
        "htmlEntityDecode",
        html_entity_decode,
        Expression(rb"&(?:#x?[0-9a-f]|quot|amp|lt|gt|nbsp)", caseless=True),
    ),
)
