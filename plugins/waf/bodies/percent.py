"""Percent-encoding."""

from __future__ import annotations

import re
from typing import Final

_INVALID: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_HEX: Final = "0123456789ABCDEFabcdef"
_BYTES: Final = {(high + low).encode(): bytes.fromhex(high + low) for high in _HEX for low in _HEX}


def has_invalid_escape(content: bytes) -> bool:
    """True if a percent sign is not followed by two hexadecimal digits."""
    return b"%" in content and _INVALID.search(content) is not None


def decode_percent(content: bytes) -> bytes:
    """Decode each `%XX`; an invalid escape, `%uXXXX` included, stays as it is."""
    first, *items = content.split(b"%")
    if not items:
        return content
    pieces = [first]
    for item in items:
        byte = _BYTES.get(item[:2])
        pieces.append(b"%" + item if byte is None else byte + item[2:])
    return b"".join(pieces)
