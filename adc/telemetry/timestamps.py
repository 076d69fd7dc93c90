"""Wall-clock seconds as the texts that logs use, in UTC. Many records share a second: its text is kept."""

from __future__ import annotations

import time
from functools import lru_cache

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=128)
def clf_time(second: int) -> str:
    """Return a text such as `22/Nov/2026:19:56:53 +0000`, the time of the common log format."""
    year, month, day, hour, minute, sec = time.gmtime(second)[:6]
    return f"{day:02}/{_MONTHS[month - 1]}/{year}:{hour:02}:{minute:02}:{sec:02} +0000"


def iso_time(seconds: float) -> str:
    """Return a text such as `2026-11-22T19:56:53.123Z` (RFC 3339, milliseconds cut off)."""
    second = int(seconds)
    return f"{_iso_second(second)}.{int((seconds - second) * 1000):03}Z"


@lru_cache(maxsize=128)
def _iso_second(second: int) -> str:
    year, month, day, hour, minute, sec = time.gmtime(second)[:6]
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{sec:02}"
