"""Text from the network, made safe for one line of a log or a terminal, and bounded.

Clean text is the common case and costs two scans in C; only other text is rewritten, with tables in C. The output is
always printable ASCII. A value of more than `limit` characters is cut and ends with CUT.
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring_ascii

FIELD_LIMIT = 4096
"""Characters of one field of a log line, escaped."""

CUT = "...(cut)"
"""The end of a value that was cut."""

_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')
_OCTETS = {code: f"\\x{code:02X}" for code in range(0x100) if code not in _PLAIN}


def is_plain(text: str) -> bool:
    """True if `text` is printable ASCII without quotation marks and backslashes."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def escape_text(text: str, limit: int = FIELD_LIMIT) -> str:
    """Return `text` for a quoted field: other than plain characters become the `\\xHH` of their UTF-8 bytes, like in
    nginx.

    A byte that was decoded with `surrogateescape` yields that byte.
    """
    return text if len(text) <= limit and is_plain(text) else _bounded(text, limit, _spell_text)


def escape_bytes(value: bytes) -> str:
    """Return a field value as received for a quoted field."""
    text = value.decode("latin-1")
    return text if len(text) <= FIELD_LIMIT and is_plain(text) else _bounded(text, FIELD_LIMIT, _spell_octets)


def json_text(text: str, limit: int = FIELD_LIMIT) -> str:
    """Return `text` as a JSON string in printable ASCII; a lone surrogate, which JSON has not, is spelled out."""
    if len(text) <= limit and is_plain(text):
        return f'"{text}"'
    return f'"{_bounded(text, limit, _spell_json)}"'


def _bounded(text: str, limit: int, spell: Callable[[str], str]) -> str:
    """Return the spelling of as much of `text` as fits into `limit` characters, whole escapes only."""
    kept = text[:limit]
    spelled = spell(kept)
    while len(spelled) > limit:
        kept = kept[: len(kept) * limit // len(spelled)]
        spelled = spell(kept)
    return spelled if len(kept) == len(text) else spelled + CUT


def _spell_octets(text: str) -> str:
    return text if is_plain(text) else text.translate(_OCTETS)


def _spell_text(text: str) -> str:
    if is_plain(text):
        return text
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other lone surrogates
        octets = text.encode("utf-8", "surrogatepass")
    return octets.decode("latin-1").translate(_OCTETS)


def _spell_json(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return encode_basestring_ascii(text)[1:-1].replace("\x7f", "\\u007f")
