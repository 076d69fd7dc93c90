"""What a match is replaced by. No I/O."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence

from adc_plugins.substitute.finders import Found, Pieces

from adc.plugin import Context

PLACEHOLDERS: dict[str, Callable[[Context], str]] = {
    "client_ip": lambda context: context.client,
    "host": lambda context: context.request.host,
    "scheme": lambda context: context.request.scheme,
    "path": lambda context: context.request.path,
    "request_id": lambda context: context.request_id,
    "route": lambda context: context.route,
}

Part = bytes | int | str
"""A fixed text, the number of a group, or the name of a placeholder."""

_named = "|".join(PLACEHOLDERS)
_placeholder = re.compile(rf"\{{(?:\{{({_named})\}}|({_named}))\}}".encode())
_markup = re.compile(rb"\s*(?:text/html|text/xml|[^;]*[/+]xml)\s*(?:;|\Z)", re.IGNORECASE)
_meaning = re.compile(r"[\"'<>&\\`]")


def parts(pieces: Pieces) -> tuple[Part, ...]:
    """Return `pieces` with the placeholders found; `{{host}}` is the text `{host}`."""
    made: list[Part] = []
    for piece in pieces:
        made += _split(piece) if isinstance(piece, bytes) else [piece]
    return tuple(made)


def _split(text: bytes) -> list[Part]:
    made: list[Part] = []
    end = 0
    for found in _placeholder.finditer(text):
        made.append(text[end : found.start()])
        made.append(b"{%b}" % found[1] if found[1] else found[2].decode())
        end = found.end()
    made.append(text[end:])
    return [part for part in made if part != b""]


def filled(replacement: tuple[Part, ...], context: Context, content_type: bytes) -> tuple[bytes | int, ...]:
    """Return the replacement for an exchange: values of placeholders mean nothing to the language that they stand
    in."""
    escaped = html.escape if _markup.match(content_type) else _as_string
    made: list[bytes | int] = []
    for part in replacement:
        known = isinstance(part, str)
        piece = escaped(PLACEHOLDERS[part](context)).encode() if isinstance(part, str) else part
        if isinstance(piece, bytes) and made and isinstance(made[-1], bytes):
            made[-1] += piece
        elif piece != b"" or not known:
            made.append(piece)
    return tuple(made)


def _as_string(value: str) -> str:
    return _meaning.sub(lambda found: f"\\u{ord(found[0]):04x}", value)


def _joined(replacement: tuple[bytes | int, ...]) -> bytes | None:
    texts = [part for part in replacement if isinstance(part, bytes)]
    return b"".join(texts) if len(texts) == len(replacement) else None


def replacer(replacements: Sequence[tuple[bytes | int, ...]]) -> Callable[[Found], bytes]:
    """Return what gives the replacement of a match, by the number of its rule."""
    fixed = [_joined(each) for each in replacements]

    def replacement(found: Found) -> bytes:
        _, rule, _, match = found
        text = fixed[rule]
        if text is not None:
            return text
        return b"".join(
            [part if isinstance(part, bytes) else match.group(part) or b"" for part in replacements[rule]]
        )

    return replacement
