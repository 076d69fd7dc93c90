"""Decoding the beginning of content at once, for somebody who inspects it."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from adc.compression.decoders import DecodeError, decoder

_MOST_CODINGS = 4
_DEFLATE = (zlib.MAX_WBITS, -zlib.MAX_WBITS)
"""zlib's container (RFC 9110 section 8.4.1.2), and none, which many senders use instead."""


class Decoded(NamedTuple):
    """Decoded content; `whole` if that is all that the coded content decodes to."""

    content: bytes
    whole: bool


def decode_beginning(content: bytes, content_encoding: bytes, most: int, *, whole: bool = True) -> Decoded:
    """Return the first `most` bytes that `content` decodes to; with `whole` False, more of it would follow.

    `content_encoding` is the value of that field, a list of codings; gzip, deflate, br and zstd are known. Raises
    DecodeError for others and for content that is not in its coding, is cut off although `whole`, or expands more than
    a hundredfold.
    """
    names = [name for each in content_encoding.lower().split(b",") if (name := each.strip(b" \t"))]
    codings = [name for name in names if name != b"identity"]
    if len(codings) > _MOST_CODINGS:
        raise DecodeError(f"the content has {len(codings)} codings; allowed: {_MOST_CODINGS}")
    found = Decoded(content, whole)
    for coding in reversed(codings):
        found = _decode(found, coding, most)
    return Decoded(found.content[:most], found.whole and len(found.content) <= most)


def _decode(coded: Decoded, coding: bytes, most: int) -> Decoded:
    if coding == b"deflate":
        return _inflate(coded, most)
    stream = decoder(coding)
    if stream is None:
        raise DecodeError(f"the content coding {coding.decode('latin-1')!r:.40} is unknown")
    stream.feed(coded.content)
    parts: list[bytes] = []
    made = 0
    while stream.pending and made <= most:
        parts.append(stream.step())
        made += len(parts[-1])
    if coded.whole and not stream.pending:
        stream.finish()
    return Decoded(b"".join(parts), coded.whole and not stream.pending)


def _inflate(coded: Decoded, most: int) -> Decoded:
    content, error = coded.content, None
    for container in _DEFLATE:
        stream = zlib.decompressobj(container)
        try:
            made = stream.decompress(content, most + 1)
        except zlib.error as problem:
            error = error or problem
            continue
        if stream.unconsumed_tail and len(made) <= most:
            raise DecodeError("deflate content cannot be decoded")
        if coded.whole and content and not (stream.eof or len(made) > most):
            raise DecodeError("deflate content is incomplete")
        return Decoded(made, coded.whole and len(made) <= most)
    raise DecodeError(f"malformed deflate content: {error}")
