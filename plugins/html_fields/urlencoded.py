"""Fields of `application/x-www-form-urlencoded`."""

from __future__ import annotations

from urllib.parse import quote_plus, unquote_to_bytes

from .fields import Sanitise, Unreadable, decoded

MOST_FIELDS = 1000


def rewrite_urlencoded(body: bytes, charset: str, sanitise: Sanitise) -> bytes | None:
    """Return `body` with the fields changed that `sanitise` changes, all others byte for byte; None if none is.

    Raises Unreadable.
    """
    pairs = body.split(b"&", MOST_FIELDS)
    if len(pairs) > MOST_FIELDS:
        raise Unreadable(f"the form has more than {MOST_FIELDS} fields")
    changed = False
    for index, pair in enumerate(pairs):
        raw_name, equals, raw_value = pair.partition(b"=")
        if not _may_hold_markup(raw_value):
            continue
        name = _bytes(raw_name).decode(charset, "replace")
        new = sanitise(name, decoded(_bytes(raw_value), charset, name))
        if new is not None:
            changed = True
            pairs[index] = raw_name + equals + quote_plus(new.encode(charset, "xmlcharrefreplace")).encode()
    return b"&".join(pairs) if changed else None


def _bytes(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def _may_hold_markup(raw: bytes) -> bool:
    return b"<" in raw or b"%3c" in raw.lower()
