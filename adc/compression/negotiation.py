"""Accept-Encoding: the coding that a client prefers among the supported ones (RFC 9110 section 12.5.3).

A request without the field gets no coding: the RFC would allow any, but clients without the field are the ones that
cannot decode. A client that refuses everything, `identity` too, gets plain content: section 12.1 lets a server
disregard the field, and content is more useful to such a client than a 406.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from adc.http.media import parse_preferences

_ALIASES = {"x-gzip": "gzip"}
_LONGEST_CACHED = 128
_NOTHING: dict[str, float] = {}


def negotiate(accept: bytes | None, codings: Sequence[str]) -> str | None:
    """Return the one of `codings` (our best first) that `accept` rates highest, None for no coding.

    `codings` are lower-case and do not hold `identity`. A client that rates `identity` above all of them
    gets that.
    """
    qualities = _qualities(accept)
    best, best_quality = None, 0.0
    for coding in codings:
        quality = _quality(qualities, coding)
        if quality > best_quality:
            best, best_quality = coding, quality
    return None if best is not None and qualities.get("identity", 0.0) > best_quality else best


def accepts(accept: bytes | None, coding: str) -> bool:
    """True if a client accepts content in `coding` (lower-case, `x-gzip` too)."""
    return _quality(_qualities(accept), _ALIASES.get(coding, coding)) > 0.0


def _quality(qualities: dict[str, float], coding: str) -> float:
    found = qualities.get(coding)
    return qualities.get("*", 0.0) if found is None else found


def _qualities(accept: bytes | None) -> dict[str, float]:
    if not accept:
        return _NOTHING
    return _remembered(accept) if len(accept) <= _LONGEST_CACHED else _read(accept)


def _read(accept: bytes) -> dict[str, float]:
    """Quality by coding. Of a coding named twice the lower one, read last, counts."""
    return {_ALIASES.get(item.value, item.value): item.quality for item in parse_preferences(accept)}


_remembered = lru_cache(maxsize=512)(_read)
"""Browsers send one of a few values."""
