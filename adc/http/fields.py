"""Field lines that belong to one connection, and those that are forwarded (RFC 9110 section 7.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from adc.http.familiar import FAMILIAR
from adc.http.headers import Pair

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
FRAMING: Final = frozenset({b"content-length", b"expect"})
SELECTING: Final = frozenset(
    {
        b"cache-control",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-unmodified-since",
        b"pragma",
        b"range",
    }
)
"""Lines by which a request asks for less than what is stored for its URL, or for something else."""

SPOOFABLE_FIELDS: Final = frozenset(
    {
        b"front-end-https",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-forwarded-method",
        b"x-forwarded-prefix",
        b"x-forwarded-protocol",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-forwarded-uri",
        b"x-original-host",
        b"x-original-method",
        b"x-original-uri",
        b"x-original-url",
        b"x-real-ip",
        b"x-rewrite-url",
        b"x-url-scheme",
    }
)
"""Fields by which other proxies describe a client or its request, and which adc does not write by default: applications
believe them, some even the path (`X-Original-URL`)."""

RESERVED: Final = b"x-adc-"
"""Prefix of field names that the nodes of a cluster use among themselves. A client's fields with it reach neither
a member nor another node."""

CLAIMED: Final = b"(claimed)"
"""Under this `divide` notes all of those, and reserved ones."""

PROXY_FIELDS: Final = SELECTING | frozenset(
    {
        b"authorization",
        b"date",
        b"forwarded",
        b"host",
        b"referer",
        b"traceparent",
        b"tracestate",
        b"user-agent",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-request-id",
    }
)
"""Lines that travel on but that a proxy reads, replaces or must not repeat."""

_SPOOFED: Final = b"(spoofed)"
"""Under this go lines that CGI and WSGI turn into variables which they cannot tell from others: special names with
`_` (or what some turn into `_`) for `-`, by which a client could say what only a proxy may, and `Proxy`, which
becomes HTTP_PROXY, the proxy of the application's own requests (httpoxy)."""

_TAKEN: Final = HOP_BY_HOP | FRAMING | {_SPOOFED}
_IN_NAMES: Final = b"abcdefghijklmnopqrstuvwxyz0123456789-"
_not_in_variables: Final = re.compile(rb"[^0-9a-z]")
_SPECIAL: Final = _TAKEN | PROXY_FIELDS | SPOOFABLE_FIELDS
_PLAIN_CONNECTION: Final = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close"})
_PROTECTED: Final = (
    frozenset({b"host", b"content-length", b"cookie", b"authorization", b"set-cookie"})
    | PROXY_FIELDS
    | SPOOFABLE_FIELDS
)


def divide(lines: Iterable[Pair]) -> tuple[list[Pair], dict[bytes, bytes]]:
    """Split received field lines into (end-to-end lines, what a proxy must know of), in one walk.

    The second part maps the lower-case names of hop-by-hop, framing and `PROXY_FIELDS` lines to their values,
    several lines of one name joined by a comma. Lines named by `Connection` are dropped too, save those that
    a client could name to strip what the next hop's decisions rest on. Spoofed names are dropped.
    """
    kept: list[Pair] = []
    special: dict[bytes, bytes] = {}
    for pair in lines:
        name = _SPELLED.get(pair[0], _UNSPELLED)
        if name is _UNSPELLED:
            name = _classify(pair[0])
        if name is None:
            kept.append(pair)
            continue
        special[name] = special[name] + b", " + pair[1] if name in special else pair[1]
        if name not in _TAKEN:
            kept.append(pair)
    connection = special.get(b"connection")
    if connection is not None and connection not in _PLAIN_CONNECTION:
        listed = tokens(connection) - _PROTECTED
        kept = [pair for pair in kept if pair[0].lower() not in listed]
    return kept, special


def _classify(spelling: bytes) -> bytes | None:
    """Return the name under which `divide` notes a field, None if it is not special."""
    lower = spelling.lower()
    if lower in SPOOFABLE_FIELDS or lower.startswith(RESERVED):
        return CLAIMED
    if lower in _SPECIAL:
        return lower
    if lower == b"proxy":
        return _SPOOFED
    if lower.translate(None, _IN_NAMES):
        variable = as_variable(lower)
        if variable.startswith(RESERVED):
            return CLAIMED
        if variable in _SPECIAL:
            return _SPOOFED
    return None


def elements(value: bytes) -> list[bytes]:
    """Return the elements of a comma-separated list, empty ones left out (RFC 9110 section 5.6.1)."""
    return [element for each in value.split(b",") if (element := each.strip(b" \t"))]


def is_reserved(name: bytes) -> bool:
    """True if `name`, spelled with `-` or `_`, is one by which nodes talk to each other."""
    return as_variable(name).startswith(RESERVED)


def as_variable(name: bytes) -> bytes:
    """Return what CGI and WSGI cannot tell `name` from, in lower case with `-` for all but letters and digits."""
    return _not_in_variables.sub(b"-", name.lower())


def tokens(value: bytes) -> frozenset[bytes]:
    """The lower-case tokens of a comma-separated list."""
    return frozenset(token.strip(b" \t").lower() for token in value.split(b",")) - {b""}


def _spellings() -> dict[bytes, bytes | None]:
    names = [*FAMILIAR, *sorted(_SPECIAL - {_SPOOFED})]
    return {each: _classify(each) for name in names for each in (name, name.lower(), name.title())}


_UNSPELLED: Final = b"(unspelled)"
_SPELLED: Final = _spellings()
"""Usual spellings of well-known names -> what `_classify` makes of them: cheaper than lowering. The table is fixed: one
that learned from peers could be filled by them with names that nobody else sends.
"""
