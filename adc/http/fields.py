"""Which field lines belong to one connection and which travel on (RFC 9110 section 7.6.1)."""

from __future__ import annotations

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

CLAIMS: Final = frozenset(
    {
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-real-ip",
    }
)
"""What other proxies say of a client in fields that we do not write: applications believe them all the same."""

RESERVED: Final = b"x-adc-"
"""How the names begin by which nodes of a cluster talk to each other. A client's fields with such names reach neither
a member nor another node."""

CLAIMED: Final = b"(claimed)"
"""Under this `divide` notes all of those, and reserved ones."""

NOTED: Final = SELECTING | frozenset(
    {
        b"authorization",
        b"date",
        b"forwarded",
        b"host",
        b"referer",
        b"traceparent",
        b"user-agent",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-request-id",
    }
)
"""Lines that travel on but that a proxy reads, replaces or must not repeat."""

_UNDERSCORED: Final = b"(with _)"
"""Under this go special names with `_` for `-`: whoever makes variables of names cannot tell them from the real
ones, and a client could say by them what only a proxy may."""

_TAKEN: Final = HOP_BY_HOP | FRAMING | {_UNDERSCORED}
_SPECIAL: Final = _TAKEN | NOTED | CLAIMS
_PLAIN_CONNECTION: Final = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close"})
_PROTECTED: Final = (
    frozenset({b"host", b"content-length", b"cookie", b"authorization", b"set-cookie"}) | NOTED | CLAIMS
)


def divide(lines: Iterable[Pair]) -> tuple[list[Pair], dict[bytes, bytes]]:
    """Split received field lines into (end-to-end lines, what a proxy must know of), in one walk.

    The second part maps the lower-case names of hop-by-hop, framing and noted lines to their values, several lines
    of one name joined by a comma. Lines named by `Connection` are dropped too, save those that a client could name
    to strip what the next hop's decisions rest on. Special names spelled with `_` are dropped.
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
    if lower in CLAIMS or is_reserved(lower):
        return CLAIMED
    if lower in _SPECIAL:
        return lower
    if b"_" in lower and lower.replace(b"_", b"-") in _SPECIAL:
        return _UNDERSCORED
    return None


def elements(value: bytes) -> list[bytes]:
    """Return the elements of a comma-separated list, empty ones left out (RFC 9110 section 5.6.1)."""
    return [element for each in value.split(b",") if (element := each.strip(b" \t"))]


def is_reserved(name: bytes) -> bool:
    """True if `name`, spelled with `-` or `_`, is one by which nodes talk to each other."""
    return name.lower().replace(b"_", b"-").startswith(RESERVED)


def tokens(value: bytes) -> frozenset[bytes]:
    """The lower-case tokens of a comma-separated list."""
    return frozenset(token.strip(b" \t").lower() for token in value.split(b",")) - {b""}


def _spellings() -> dict[bytes, bytes | None]:
    names = [*FAMILIAR, *sorted(_SPECIAL - {_UNDERSCORED})]
    return {each: _classify(each) for name in names for each in (name, name.lower(), name.title())}


_UNSPELLED: Final = b"(unspelled)"
_SPELLED: Final = _spellings()
"""Usual spellings of well-known names -> what `_classify` makes of them: cheaper than lowering. The table is fixed: one
that learned from peers could be filled by them with names that nobody else sends.
"""
