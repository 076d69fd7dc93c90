"""Field lines that belong to one connection, and field lines that are forwarded (RFC 9110 section 7.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

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
"""Lines that make a request ask for a part or another form of what is stored for its URL."""

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
"""Fields in which other proxies describe a client or its request, and which adc does not write by default. Applications
trust them, some even for the path (`X-Original-URL`)."""

RESERVED: Final = b"x-adc-"
"""Prefix of field names that the nodes of a cluster use among themselves. A client's fields with it reach neither
a member nor another node."""

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
"""Lines that are forwarded and that a proxy reads, replaces or must not repeat."""

SPOOFABLE: Final = b"spoofable"
"""Class of `SPOOFABLE_FIELDS` and reserved names."""

AMBIGUOUS: Final = b"ambiguous"
"""Class of names that CGI and WSGI map to the same variable as a special name, with `_` (or a character that some map
to `_`) for `-`: a client could set what only a proxy may. `Proxy` is one: it becomes HTTP_PROXY, the proxy of the
application's own requests (httpoxy)."""

REMOVED: Final = HOP_BY_HOP | FRAMING
_IN_NAMES: Final = b"abcdefghijklmnopqrstuvwxyz0123456789-"
_not_in_variables: Final = re.compile(rb"[^0-9a-z]")
SPECIAL: Final = REMOVED | PROXY_FIELDS | SPOOFABLE_FIELDS
_SPECIAL: Final = {name: name for name in SPECIAL}
"""One object for each name, the one that compiled code looks up: it need not be compared."""
_PLAIN_CONNECTION: Final = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close"})
_PROTECTED: Final = (
    frozenset({b"host", b"content-length", b"cookie", b"authorization", b"set-cookie"})
    | PROXY_FIELDS
    | SPOOFABLE_FIELDS
)


def divide(lines: Iterable[tuple[bytes, ...]]) -> tuple[list[Pair], dict[bytes, bytes], bool]:
    """Split received field lines into (end-to-end lines, fields that a proxy reads, spoofable), in one walk.

    The second part maps the lower-case names of hop-by-hop, framing and `PROXY_FIELDS` lines to their values,
    several lines of one name joined by a comma. The third is True if `SPOOFABLE_FIELDS` or reserved names are among
    the end-to-end lines. Lines named by `Connection` are removed, except protected ones, which a client could
    name to strip what the next hop's decisions rest on. Ambiguous names are removed.
    """
    kept: list[Any] = []  # pairs as they came: compiled, `Pair` would be copied
    special: dict[bytes, bytes] = {}
    spoofable = False
    for pair in lines:
        name = _SPELLED.get(pair[0], _UNKNOWN)
        if name is _UNKNOWN:
            name = classify(pair[0])
            if name is AMBIGUOUS:
                continue
        if name is None:
            kept.append(pair)
            continue
        if name is SPOOFABLE:
            kept.append(pair)
            spoofable = True
            continue
        special[name] = special[name] + b", " + pair[1] if name in special else pair[1]
        if name not in REMOVED:
            kept.append(pair)
    connection = special.get(b"connection")
    if connection is not None and connection not in _PLAIN_CONNECTION:
        listed = tokens(connection) - _PROTECTED
        kept = [pair for pair in kept if pair[0].lower() not in listed]
    return kept, special, spoofable


def classify(spelling: bytes) -> bytes | None:
    """Return the lower-case name of a special field, its class if it is spoofable or ambiguous, None for other
    fields."""
    lower = spelling.lower()
    if lower in SPOOFABLE_FIELDS or lower.startswith(RESERVED):
        return SPOOFABLE
    special = _SPECIAL.get(lower)
    if special is not None:
        return special
    if lower == b"proxy":
        return AMBIGUOUS
    if lower.translate(None, _IN_NAMES):
        variable = as_variable(lower)
        if variable.startswith(RESERVED):
            return SPOOFABLE
        if variable in SPECIAL:
            return AMBIGUOUS
    return None


def elements(value: bytes) -> list[bytes]:
    """Return the elements of a comma-separated list, empty ones left out (RFC 9110 section 5.6.1)."""
    return [element for each in value.split(b",") if (element := each.strip(b" \t"))]


def is_reserved(name: bytes) -> bool:
    """True if `name`, spelled with `-` or `_`, is reserved for traffic between nodes."""
    return as_variable(name).startswith(RESERVED)


def as_variable(name: bytes) -> bytes:
    """Return `name` as CGI and WSGI see it: lower case, `-` for all but letters and digits."""
    return _not_in_variables.sub(b"-", name.lower())


def tokens(value: bytes) -> frozenset[bytes]:
    """Return the lower-case tokens of a comma-separated list."""
    return frozenset(token.strip(b" \t").lower() for token in value.split(b",")) - {b""}


def _spellings() -> dict[bytes, bytes | None]:
    names = [*FAMILIAR, *sorted(SPECIAL)]
    return {each: classify(each) for name in names for each in (name, name.lower(), name.title())}


_UNKNOWN: Final = b"unknown"
_SPELLED: Final = _spellings()
"""Usual spellings of well-known names -> the result of `classify`, which is cheaper than lowering. The table is fixed:
clients could fill a table that learns with names of their choice."""
