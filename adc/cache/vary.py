"""Secondary keys: which requests may share one of the responses stored for a URL (RFC 9111 section 4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from adc.http.headers import Headers

Varying = tuple[tuple[bytes, bytes | None], ...]
"""Normalised request values that a stored response was chosen by: (lower-case name, value or None if absent).
"""

MAX_FIELDS = 16
_SPACES = re.compile(rb"[ \t]+")
_NEGOTIATED = frozenset({b"accept-encoding", b"accept-language", b"accept", b"accept-charset"})
_UNORDERED = frozenset({b"accept-encoding"})


_OF_THE_PROXY = frozenset({b"*", b"forwarded", b"traceparent", b"x-forwarded-for", b"x-request-id"})
"""`*`, and fields that the member gets with values of ours, told from the client's address or made for the
request: what a client wrote into them does not choose the response."""


def vary_names(response: Headers) -> tuple[bytes, ...] | None:
    """Sorted lower-case names in Vary, () without the field; None if the response never matches a later
    request: for `*`, and for fields that say who asks.
    """
    names: set[bytes] = set()
    for line in response.get_all(b"vary"):
        names.update(name for item in line.split(b",") if (name := item.strip(b" \t").lower()))
    return tuple(sorted(names)) if names.isdisjoint(_OF_THE_PROXY) else None


def varying(names: Iterable[bytes], request: Headers) -> Varying:
    """The normalised values of `names` in a request."""
    return tuple((name, normal_value(name, request.get_all(name))) for name in names)


def matches(wanted: Varying, request: Headers) -> bool:
    """Whether a request has the values that a stored response was chosen by."""
    return all(normal_value(name, request.get_all(name)) == value for name, value in wanted)


def normal_value(name: bytes, lines: list[bytes]) -> bytes | None:
    """Lines joined, spaces around commas dropped; letter case, `q=1` and rank order too where they have no
    meaning.

    None if the field is absent: absent matches only absent.
    """
    if not lines:
        return None
    value = b",".join(lines).strip(b" \t,")
    if b'"' in value:
        return value
    value = b",".join(element for part in value.split(b",") if (element := part.strip(b" \t")))
    if name not in _NEGOTIATED:
        return _SPACES.sub(b" ", value)
    return _negotiated(value.lower(), name in _UNORDERED)


def _negotiated(value: bytes, unordered: bool) -> bytes:
    """Elements by falling weight; equal weights stay in order unless the field gives that no meaning."""
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
