"""Characters beyond ASCII that other software may take for ASCII ones, for blanks, or for nothing."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import normalize

# UTF-8 of an ASCII character in two to six bytes, which RFC 3629 forbids.
_OVERLONG: Final = (
    "[\xc0\xc1][\x80-\xbf]|\xe0[\x80\x81][\x80-\xbf]|\xf0\x80[\x80\x81][\x80-\xbf]"
    "|\xf8\x80\x80[\x80\x81][\x80-\xbf]|\xfc\x80\x80\x80[\x80\x81][\x80-\xbf]"
)
_sequence: Final = re.compile(
    f"{_OVERLONG}|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{{2}}|[\xf0-\xf4][\x80-\xbf]{{3}}"
)
_ignored: Final = re.compile(
    "[\xad\u034f\u061c\u180e\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\U000e0000-\U000e0fff]"
)
"""Characters without a shape, which normalisation for comparing drops (Default_Ignorable_Code_Point)."""

_SLASHES: Final = {
    **dict.fromkeys("\u2044\u2215\u29f8", "/"),
    **dict.fromkeys("\xa5\u20a9\u20e5\u2216\u29f5\u29f9", "\\"),
}
"""Characters that code pages turn into slashes (yen and won have the place of ASCII's backslash)."""


def plain_ascii(text: str) -> str:
    """Replace characters in `text` that could be read as ASCII; `text` holds bytes as characters (Latin-1)."""
    return text if text.isascii() else _sequence.sub(_replaced, text)


def _replaced(match: re.Match[str]) -> str:
    return replacement(match[0])


@lru_cache(maxsize=1024)
def replacement(sequence: str) -> str:
    """Return the ASCII form of a UTF-8 sequence, or the sequence if it has none."""
    character = _character(sequence)
    if _ignored.fullmatch(character):
        return ""
    if character.isspace():
        return " "
    plain = _SLASHES.get(character) or normalize("NFKC", character)
    return plain if plain.isascii() and plain.isprintable() else sequence


def _character(sequence: str) -> str:
    try:
        return sequence.encode("latin-1").decode()
    except UnicodeDecodeError:
        value = ord(sequence[0]) & 1 if len(sequence) == 2 else 0
        for byte in sequence[1:]:
            value = value << 6 | ord(byte) & 0x3F
        return chr(value) if value < 0x80 else "\ufffd"
