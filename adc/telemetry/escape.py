"""Text that came from outside, made safe for one line of a log or a terminal.

Clean text is the rule and costs two scans in C; only text that needs it is rewritten. The output is
printable ASCII whatever came in.
"""

from __future__ import annotations

import re
from json.encoder import encode_basestring_ascii

_UNSAFE = re.compile(r"[^ !#-\[\]-~]")


def is_plain(text: str) -> bool:
    """Whether `text` is printable ASCII without quotation marks and backslashes."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def escape_text(text: str) -> str:
    """`text` for a quoted field: what is not plain becomes the `\\xHH` of its UTF-8 bytes, as in nginx.

    A byte that was decoded with `surrogateescape` comes out as itself.
    """
    return text if is_plain(text) else _UNSAFE.sub(_escape_character, text)


def escape_bytes(value: bytes) -> str:
    """The same for a field value as received."""
    return escape_latin1(value.decode("latin-1"))


def escape_latin1(text: str) -> str:
    """The same for a field value of which each byte has become one character."""
    return text if is_plain(text) else _UNSAFE.sub(_escape_octet, text)


def json_text(text: str) -> str:
    """`text` as a JSON string in printable ASCII; a lone surrogate, which JSON has not, is spelled out."""
    if is_plain(text):
        return f'"{text}"'
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return encode_basestring_ascii(text).replace("\x7f", "\\u007f")


def _escape_character(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02X}"
    return "".join(f"\\x{octet:02X}" for octet in character.encode("utf-8", "surrogatepass"))


def _escape_octet(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02X}"
