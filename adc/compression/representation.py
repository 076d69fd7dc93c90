"""Changes of a response head when its content is coded or decoded here."""

from __future__ import annotations

from adc.http.cache_control import split_list
from adc.http.headers import Headers, Pair

_OF_THE_BYTES = frozenset(
    {b"accept-ranges", b"content-digest", b"content-encoding", b"content-md5", b"digest", b"repr-digest"}
)
"""Lines that describe the bytes as the member sent them."""


def recode(headers: Headers, coding: str | None) -> None:
    """State that the content is in `coding` now (None: plain): the entity tag weakens, digests go."""
    lines: list[Pair] = []
    for pair in headers.pairs:
        name = pair[0].lower()
        if name == b"etag":
            lines.append((pair[0], weak(pair[1])))
        elif name not in _OF_THE_BYTES:
            lines.append(pair)
    headers.pairs = lines
    headers.remove()
    if coding is not None:
        headers.add(b"Content-Encoding", coding.encode())


def weak(tag: bytes) -> bytes:
    """Return the weak form of an entity tag: same meaning, other bytes (RFC 9110 section 8.8.1)."""
    return tag if tag.startswith(b"W/") else b"W/" + tag


def vary_by_coding(headers: Headers) -> None:
    """Name Accept-Encoding in Vary, once (RFC 9110 section 12.5.5)."""
    value = headers.joined(b"vary")
    if value is None:
        headers.add(b"Vary", b"Accept-Encoding")
        return
    names = {name.lower() for name in split_list(value)}
    if b"*" not in names and b"accept-encoding" not in names:
        headers.set(b"Vary", value + b", Accept-Encoding")


def restate_validator(headers: Headers, if_none_match: bytes | None) -> None:
    """Have a 304 name the entity tag that the client holds, if that is a weak one made here."""
    tag = headers.get(b"etag")
    if tag is None or if_none_match is None:
        return
    tags = split_list(if_none_match)
    if weak(tag) in tags and tag not in tags:
        headers.set(b"ETag", weak(tag))
        vary_by_coding(headers)
