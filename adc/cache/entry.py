"""One stored response: head, terms of reuse, and where its body is."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from adc.cache.freshness import Terms
from adc.cache.vary import Varying
from adc.http.headers import Headers
from adc.http.ranges import ContentRange

_OVERHEAD = 1000
_FIELD_OVERHEAD = 220
_VARYING_OVERHEAD = 150
_TAG_OVERHEAD = 350
_MARKED_KEY_OVERHEAD = 500
"""Bytes that an entry, each of its fields, each value it was chosen by, each tag, and a key with parts behind its URL
cost beside their texts: objects and slots in tables, as measured, rounded up."""


_TERMS = tuple(item.name for item in fields(Terms))


class Body(Protocol):
    """Content kept outside memory."""

    def read(self) -> bytes:
        """Return all of it."""


@dataclass(slots=True, eq=False)
class Entry:
    """A response as stored (RFC 9111 section 3). `headers` are end-to-end lines without Content-Length and
    Age.

    `length` counts the bytes of content held; `part` says which of the whole they are if it is a 206, None if
    complete. `invalid` forces validation before any reuse (soft purge, invalidation). Everything but `invalid`
    and `body` never changes.
    """

    key: bytes
    status: int
    headers: Headers
    varying: Varying
    terms: Terms
    date: float
    reason: bytes = b""
    etag: bytes | None = None
    last_modified: bytes | None = None
    tags: tuple[bytes, ...] = ()
    part: ContentRange | None = None
    length: int = 0
    body: bytes | Body | None = None
    invalid: bool = False

    @property
    def size(self) -> int:
        """Return the bytes that the entry takes in memory, including the store's bookkeeping for it."""
        size = _OVERHEAD + len(self.key) + self.length
        for name, value in self.headers:
            size += _FIELD_OVERHEAD + 2 * len(name) + len(value)
        for name, chosen in self.varying:
            size += _VARYING_OVERHEAD + len(name) + (0 if chosen is None else len(chosen))
        for tag in self.tags:
            size += _TAG_OVERHEAD + len(tag)
        if b"\0" in self.key:
            size += _MARKED_KEY_OVERHEAD + len(self.key)
        return size

    def filled(self, body: bytes | Body | None, length: int) -> Entry:
        """Return this head with its content."""
        return replace(self, body=body, length=length)

    def head_bytes(self) -> bytes:
        """Return everything but the body, for a file."""
        return json.dumps(_plain(self), separators=(",", ":")).encode()


def _plain(entry: Entry) -> dict[str, Any]:
    part = entry.part
    return {
        "key": _text(entry.key),
        "status": entry.status,
        "reason": _text(entry.reason),
        "headers": [[_text(name), _text(value)] for name, value in entry.headers],
        "varying": [[_text(name), _text(value)] for name, value in entry.varying],
        "terms": [getattr(entry.terms, name) for name in _TERMS],
        "date": entry.date,
        "etag": _text(entry.etag),
        "last_modified": _text(entry.last_modified),
        "tags": [_text(tag) for tag in entry.tags],
        "part": None if part is None else [part.first, part.last, part.total],
        "length": entry.length,
    }


def entry_from_bytes(data: bytes) -> Entry:
    """Parse the output of `Entry.head_bytes`. Raises ValueError if it is invalid."""
    try:
        plain = json.loads(data)
        return Entry(
            key=_bytes(plain["key"]),
            status=plain["status"],
            reason=_bytes(plain["reason"]),
            headers=Headers((_bytes(name), _bytes(value)) for name, value in plain["headers"]),
            varying=tuple((_bytes(name), _optional(value)) for name, value in plain["varying"]),
            terms=_terms(plain["terms"]),
            date=plain["date"],
            etag=_optional(plain["etag"]),
            last_modified=_optional(plain["last_modified"]),
            tags=tuple(_bytes(tag) for tag in plain["tags"]),
            part=None if plain["part"] is None else ContentRange(*plain["part"]),
            length=plain["length"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a stored response head: {error!r}") from error


def _terms(values: list[Any]) -> Terms:
    """Return the terms of a record. In records of earlier versions, windows of a response that was never fresh may
    come from the route."""
    terms = Terms(*values)
    if len(values) == len(_TERMS):
        return terms
    return replace(terms, never_stale=True, stale_while_revalidate=0.0, stale_if_error=0.0)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _optional(text: str | None) -> bytes | None:
    return None if text is None else text.encode("latin-1")
