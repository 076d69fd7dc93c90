"""Preconditions a cache evaluates: If-None-Match, If-Modified-Since, If-Range (RFC 9110 section 13)."""

from __future__ import annotations

from adc.cache.entry import Entry
from adc.cache.freshness import parse_date
from adc.http.headers import Headers
from adc.http.preconditions import none_match_fails, same_strongly

ORIGIN_ONLY = frozenset({b"if-match", b"if-unmodified-since"})
"""Preconditions that only the origin may evaluate (RFC 9111 section 4.3.2)."""

_STRONG_AFTER = 60
"""Seconds by which Date must follow Last-Modified for the latter to be a strong validator (RFC 9110 8.8.2.2).
"""


def not_modified(request: Headers, entry: Entry, now: float) -> bool:
    """True if a 304 from `entry` is the response to `request`. If-None-Match overrides If-Modified-Since."""
    if not 200 <= entry.status < 300:
        return False
    asked = request.joined(b"if-none-match")
    if asked is not None:
        return none_match_fails(asked, entry.etag)
    dates = request.get_all(b"if-modified-since")
    if len(dates) != 1:
        return False
    since = parse_date(dates[0], now)
    if since is None:
        return False
    modified = None if entry.last_modified is None else parse_date(entry.last_modified, now)
    return (entry.date if modified is None else modified) <= since


def asked_range(request: Headers, entry: Entry, now: float) -> bytes | None:
    """Return the Range to apply to `entry`, several lines as one list; None for the whole content: without a Range, or
    if If-Range disables it (RFC 9110 section 13.1.5)."""
    asked = request.joined(b"range")
    conditions = request.get_all(b"if-range")
    if asked is None or not conditions:
        return asked
    fits = len(conditions) == 1 and _names(conditions[0].strip(b" \t"), entry, now)
    return asked if fits else None


def if_range_holds(value: bytes, headers: Headers, now: float) -> bool:
    """True if an If-Range `value` is the strong validator of a response with `headers`, which came at `now`."""
    dates = headers.get_all(b"date")
    date = parse_date(dates[0], now) if len(dates) == 1 else None
    tag, modified = headers.get(b"etag"), headers.get(b"last-modified")
    return _is_validator(value.strip(b" \t"), tag, modified, now if date is None else date, now)


def _names(value: bytes, entry: Entry, now: float) -> bool:
    """True if an If-Range `value` is the entry's strong validator."""
    return _is_validator(value, entry.etag, entry.last_modified, entry.date, now)


def _is_validator(
    value: bytes, etag: bytes | None, last_modified: bytes | None, date: float, now: float
) -> bool:
    if value.startswith((b'"', b"W/")):
        return etag is not None and same_strongly(value, etag)
    since = parse_date(value, now)
    if since is None or last_modified is None:
        return False
    modified = parse_date(last_modified, now)
    return modified == since and date - modified >= _STRONG_AFTER
