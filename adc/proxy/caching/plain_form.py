"""Plain forms of responses that were stored in a coding, for clients that do not accept it.

A Range refers to the representation that is sent: for such a client to the decoded content.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adc.cache.entry import Entry
from adc.cache.memory import MemoryStore
from adc.compression.decoders import DecodeError, decoder
from adc.compression.eligibility import client_takes, removable_coding
from adc.compression.representation import recode, vary_by_coding
from adc.http.message import Request, Response
from adc.proxy.caching.variants import form_key, known_form

MOST_CODED: Final = 256 << 10
MOST_PLAIN: Final = 1 << 20
"""Bytes of content that are decoded at once, and what they may become."""

_MOST_STEPS: Final = 16


def coding_to_remove(request: Request, entry: Entry) -> bytes:
    """Return the coding that is taken off `entry` on the way to the client, b"" if none."""
    coding = removable_coding(Response(entry.status, entry.headers, b"", entry.length))
    return b"" if not coding or client_takes(request, coding) else coding


def plain_form(memory: MemoryStore, entry: Entry, coding: bytes) -> Entry | None:
    """Return `entry` with its content out of `coding`, kept in memory; None if it is too long to be decoded at once."""
    key = form_key(entry, b"identity")
    known = known_form(memory, key, entry)
    if known is not None:
        return known
    body = entry.body
    content = _decoded(body, coding) if isinstance(body, bytes) else None
    if content is None:
        return None
    headers = entry.headers.copy()
    vary_by_coding(headers)
    recode(headers, None)
    plain = replace(
        entry, key=key, headers=headers, etag=headers.get(b"etag"), body=content, length=len(content)
    )
    memory.put(plain)
    return plain


def _decoded(body: bytes, coding: bytes) -> bytes | None:
    found = decoder(coding, MOST_PLAIN)
    if found is None or len(body) > MOST_CODED:
        return None
    parts: list[bytes] = []
    try:
        found.feed(body)
        while found.pending:
            if len(parts) == _MOST_STEPS:
                return None
            parts.append(found.step())
        found.finish()
    except DecodeError:
        return None
    return b"".join(parts)
