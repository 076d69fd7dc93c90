"""Fields of `application/x-www-form-urlencoded`, and of query strings."""

from __future__ import annotations

import re
from urllib.parse import quote_plus, unquote_to_bytes

from .fields import Sanitise, Unreadable, decoded

MOST_FIELDS = 1000
_OF_FORMS = re.compile(rb"(&)")
_OF_QUERIES = re.compile(rb"([&;])")


def rewrite_urlencoded(body: bytes, charset: str, sanitise: Sanitise) -> bytes | None:
    """Return `body` with the fields changed that `sanitise` changes, all others byte for byte; None if none is.

    Raises Unreadable.
    """
    return _rewritten(_OF_FORMS.split(body, MOST_FIELDS), charset, sanitise)


def rewrite_query(query: bytes, charset: str, sanitise: Sanitise) -> bytes | None:
    """Do as `rewrite_urlencoded` for a query string, whose fields some applications separate by semicolons too.

    Raises Unreadable.
    """
    return _rewritten(_OF_QUERIES.split(query, MOST_FIELDS), charset, sanitise)


def _rewritten(pieces: list[bytes], charset: str, sanitise: Sanitise) -> bytes | None:
    """Return pairs and the separators between them, joined again."""
    if len(pieces) > 2 * MOST_FIELDS:
        raise Unreadable(f"there are more than {MOST_FIELDS} fields")
    changed = False
    for index in range(0, len(pieces), 2):
        new = _pair(pieces[index], charset, sanitise)
        if new is not None:
            changed = True
            pieces[index] = new
    return b"".join(pieces) if changed else None


def _pair(pair: bytes, charset: str, sanitise: Sanitise) -> bytes | None:
    """Return the pair with its value sanitised, None if that stays. A pair without `=` is a value without a name."""
    raw_name, equals, raw_value = pair.partition(b"=") if b"=" in pair else (b"", b"", pair)
    if not _may_hold_markup(raw_value):
        return None
    name = _bytes(raw_name).decode(charset, "replace")
    new = sanitise(name, decoded(_bytes(raw_value), charset, name))
    if new is None:
        return None
    return raw_name + equals + quote_plus(new.encode(charset, "xmlcharrefreplace")).encode()


def _bytes(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def _may_hold_markup(raw: bytes) -> bool:
    return b"<" in raw or b"%3c" in raw.lower()
