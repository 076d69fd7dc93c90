"""Trailers that describe content, which may have been changed on the way."""

from __future__ import annotations

from typing import Final

from adc.http.headers import Pair

DIGESTS: Final = (b"content-digest", b"content-md5", b"digest", b"repr-digest")
"""Fields that describe content as it was sent."""

_DESCRIBING: Final = frozenset({*DIGESTS, b"etag"})


def still_true(fields: list[Pair]) -> list[Pair]:
    """Return those of `fields` that hold for content that was changed: no digest or validator of the content as it
    was sent."""
    return [pair for pair in fields if pair[0].lower() not in _DESCRIBING]
