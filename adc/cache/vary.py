"""Secondary keys: which requests may share one of the responses stored for a URL (RFC 9111 section 4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from adc.cache.cookies import EVERY_COOKIE, CookieRules
from adc.http.cache_control import split_list
from adc.http.headers import Headers

Varying = tuple[tuple[bytes, bytes | None], ...]
"""Normalised request values that a stored response was chosen by: (lower-case name, value or None if absent).
A value is only compared: of a long one its digest is kept, behind DIGEST_MARK.
"""

LONGEST_VALUE = 64
DIGEST_MARK = b"\0"
"""No field value has this byte."""

_LONGEST_NORMALISED = 1024
"""Longer values are compared as they are written: bringing them into a common form would cost more than a miss."""

MAX_FIELDS = 16
_MOST_ELEMENTS = 256
"""Elements that one line may have, repetitions among them."""
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SPACES = re.compile(rb"[ \t]+")
_NEGOTIATED = frozenset({b"accept-encoding", b"accept-language", b"accept", b"accept-charset"})
_UNORDERED = frozenset({b"accept-encoding"})


_NEVER_MATCHES = frozenset(
    {b"*", b"forwarded", b"traceparent", b"x-forwarded-for", b"x-real-ip", b"x-request-id"}
)
"""`*`, fields that adc writes from the client's address or for the request, so that the value that the client sent did
not choose the response, and `traceparent`, whose value is new in each request."""


def vary_names(response: Headers) -> tuple[bytes, ...] | None:
    """Return the sorted lower-case names in Vary, () without the field; None if the response never matches a later
    request: for `*`, fields that identify the client or the request, invalid field names, and too many fields."""
    names: set[bytes] = set()
    for line in response.get_all(b"vary"):
        elements = split_list(line, _MOST_ELEMENTS + 1)
        if len(elements) > _MOST_ELEMENTS:
            return None
        if not all(map(_TOKEN.fullmatch, elements)):
            return None
        names.update(element.lower() for element in elements)
    if len(names) > MAX_FIELDS or not names.isdisjoint(_NEVER_MATCHES):
        return None
    return tuple(sorted(names))


def varying(names: Iterable[bytes], request: Headers, cookies: CookieRules = EVERY_COOKIE) -> Varying:
    """Return the normalised values of `names` in a request. `cookies` selects the part of the Cookie field that
    counts."""
    return tuple((name, _value(name, request, cookies)) for name in names)


def matches(
    wanted: Varying,
    request: Headers,
    cookies: CookieRules = EVERY_COOKIE,
    known: dict[bytes, bytes | None] | None = None,
) -> bool:
    """True if a request has the values that a stored response was chosen by.

    `known` keeps the values of the request between calls.
    """
    for name, value in wanted:
        if known is None:
            own = _value(name, request, cookies)
        elif name in known:
            own = known[name]
        else:
            own = known[name] = _value(name, request, cookies)
        if own != value:
            return False
    return True


def _value(name: bytes, request: Headers, cookies: CookieRules) -> bytes | None:
    value = cookies.value(request) if name == b"cookie" else normal_value(name, request.get_all(name))
    if value is None or len(value) <= LONGEST_VALUE:
        return value
    return DIGEST_MARK + sha256(value).digest()


def shown_value(value: bytes | None) -> str | None:
    """Return one value of a `Varying` for people to read."""
    if value is None:
        return None
    return f"(sha256 {value[1:].hex()})" if value.startswith(DIGEST_MARK) else value.decode("latin-1")


def normal_value(name: bytes, lines: list[bytes]) -> bytes | None:
    """Return `lines` joined as one list (RFC 9110 section 5.6.1), spaces around commas dropped; letter case, `q=1` and
    rank order too where they have no meaning.

    None if the field is absent: absent matches only absent.
    """
    if not lines:
        return None
    value = b",".join(lines)
    if len(value) > _LONGEST_NORMALISED:
        return value
    value = b",".join(split_list(value))
    if b'"' in value:
        return value
    if name not in _NEGOTIATED:
        return _SPACES.sub(b" ", value)
    return _negotiated(value.lower(), name in _UNORDERED)


def _negotiated(value: bytes, unordered: bool) -> bytes:
    """Return elements by falling weight; equal weights stay in order unless the field gives that no meaning."""
    ranked = []
    for element in value.split(b","):
        compact = element.replace(b" ", b"").replace(b"\t", b"")
        text, marker, weight = compact.rpartition(b";q=")
        if not marker:
            text, weight = compact, b"1"
        quality = _quality(weight)
        if quality is None:
            return value
        ranked.append((-quality, text))
    ranked.sort(key=None if unordered else _rank)
    return b",".join(text if rank == -1000 else b"%b;q=%d" % (text, -rank) for rank, text in ranked)


def _rank(item: tuple[int, bytes]) -> int:
    return item[0]


_WEIGHT = re.compile(rb"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


def _quality(weight: bytes) -> int | None:
    return round(float(weight) * 1000) if _WEIGHT.fullmatch(weight) else None
