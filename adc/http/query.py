"""Reading a query string as form fields (the WHATWG URL standard's `application/x-www-form-urlencoded`)."""

from __future__ import annotations

from urllib.parse import unquote_plus

MAX_FIELDS = 1000
"""Fields read from one query; later ones are ignored."""


def parse_query(query: str) -> dict[str, list[str]]:
    """Return the values of each field in order, `+` and percent escapes decoded as UTF-8.

    A field without `=` has the value "". Malformed escapes stay as they are and malformed UTF-8 becomes
    U+FFFD, so nothing is raised.
    """
    fields: dict[str, list[str]] = {}
    for field in query.split("&", MAX_FIELDS)[:MAX_FIELDS]:
        if not field:
            continue
        name, _, value = field.partition("=")
        fields.setdefault(_decoded(name), []).append(_decoded(value))
    return fields


def _decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text
