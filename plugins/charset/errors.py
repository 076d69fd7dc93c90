"""What codecs do with bytes that they cannot decode and characters that they cannot encode.

Undecodable bytes that pass are lone surrogates (PEP 383) until they are encoded.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping

Lookup = Callable[[bytes, int], tuple[str, int]]
"""Gets two bytes of which a codec does not know the first, or as many as the number says; returns the character and its
bytes, or "" if there is none."""

_FIRST_ESCAPED = 0xDC80
_LAST_ESCAPED = 0xDCFF

Escape = Callable[[str], str]
"""What stands for a character that the charset does not have."""


def _units(character: str) -> str:
    """Return the UTF-16 units of a character as escapes of JSON."""
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


ESCAPES: Mapping[str, Escape] = {
    "html": lambda character: f"&#{ord(character)};",
    "json": _units,
    "text": lambda character: "?",
}
"""By the language of the content."""


def on_undecodable(name: str, lookup: Lookup | None) -> None:
    """Register `NAME.replace`, `NAME.pass` and `NAME.fail` for a codec; `lookup` knows more characters than it."""
    codecs.register_error(f"{name}.replace", _decoding(lookup, lambda error: "\ufffd"))
    codecs.register_error(f"{name}.pass", _decoding(lookup, _escaped))
    codecs.register_error(f"{name}.fail", _decoding(lookup, _failed))


def _decoding(
    lookup: Lookup | None, otherwise: Callable[[UnicodeDecodeError], str]
) -> Callable[[UnicodeError], tuple[str, int]]:
    def handle(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        start = error.start
        if lookup is not None:
            character, size = lookup(error.object[start : start + 2], error.end - start)
            if character:
                return character, start + size
        return otherwise(error), error.end

    return handle


def _escaped(error: UnicodeDecodeError) -> str:
    return error.object[error.start : error.end].decode("ascii", "surrogateescape")


def _failed(error: UnicodeDecodeError) -> str:
    raise error


def on_unencodable(name: str, lookup: Mapping[str, str]) -> None:
    """Register `NAME.html`, `NAME.json` and `NAME.text` for a codec; `lookup` has other characters that look alike."""
    for way, escape in ESCAPES.items():
        codecs.register_error(f"{name}.{way}", _encoding(lookup, escape))


def _encoding(lookup: Mapping[str, str], escape: Escape) -> Callable[[UnicodeError], tuple[str | bytes, int]]:
    def handle(error: UnicodeError) -> tuple[str | bytes, int]:
        assert isinstance(error, UnicodeEncodeError)
        character = error.object[error.start]
        after = error.start + 1
        if _FIRST_ESCAPED <= ord(character) <= _LAST_ESCAPED:
            return bytes([ord(character) - 0xDC00]), after
        return lookup.get(character) or escape(character), after

    return handle
