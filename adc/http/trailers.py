"""Field names that may stand in a trailer section (RFC 9110 section 6.5.1). No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from adc.http.fields import (
    FRAMING,
    HOP_BY_HOP,
    PROXY_FIELDS,
    RESERVED,
    SPOOFABLE_FIELDS,
    as_variable,
    elements,
    tokens,
)
from adc.http.headers import Pair

_ROUTING: Final = frozenset({b"host", b"max-forwards", b"x-real-ip"})
_AUTHENTICATION: Final = frozenset({b"cookie", b"set-cookie", b"www-authenticate"})
_MODIFIERS: Final = frozenset({b"x-http-method", b"x-http-method-override", b"x-method-override"})
_RESPONSE_CONTROL: Final = frozenset(
    {b"age", b"clear-site-data", b"expires", b"location", b"refresh", b"retry-after", b"vary", b"warning"}
)
_CONTENT_FORMAT: Final = frozenset(
    {
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-location",
        b"content-range",
        b"content-type",
    }
)
_FORBIDDEN: Final = (
    HOP_BY_HOP
    | FRAMING
    | PROXY_FIELDS
    | SPOOFABLE_FIELDS
    | _ROUTING
    | _AUTHENTICATION
    | _MODIFIERS
    | _RESPONSE_CONTROL
    | _CONTENT_FORMAT
)
_PREFIXES: Final = (RESERVED, b"if-", b"proxy", b"sec-", b"x-forwarded-")
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def may_trail(name: bytes) -> bool:
    """True if `name` may stand in a trailer section.

    A name that frames, routes, authenticates, modifies the request, controls the response or describes the format of
    the content may not: its recipient could merge it into the header. A name that CGI cannot tell from a forbidden one
    (`_` for `-`) is forbidden too.
    """
    if _TOKEN.fullmatch(name) is None:
        return False
    variable = as_variable(name)
    return variable not in _FORBIDDEN and not variable.startswith(_PREFIXES)


def divide_trailers(fields: Iterable[Pair]) -> tuple[list[Pair], list[bytes]]:
    """Split received trailers into (fields that may be passed on, names of the others)."""
    kept: list[Pair] = []
    dropped: list[bytes] = []
    for pair in fields:
        if may_trail(pair[0]):
            kept.append(pair)
        else:
            dropped.append(pair[0])
    return kept, dropped


def without_nominated(fields: list[Pair], connection: bytes) -> list[Pair]:
    """Return `fields` without those that a `Connection` field of this value names (RFC 9110 section 7.6.1)."""
    if not connection:
        return fields
    nominated = tokens(connection)
    return [pair for pair in fields if pair[0].lower() not in nominated]


def announceable(value: bytes) -> bytes:
    """Return the names in a `Trailer` field (RFC 9110 section 6.6.2) that may be passed on, b"" if there are none."""
    return b", ".join([name for name in elements(value) if may_trail(name)])
