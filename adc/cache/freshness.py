"""Freshness and age of responses (RFC 9111 section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

from adc.cache.directives import Directives
from adc.cache.options import CacheOptions
from adc.http.cache_control import MAX_SECONDS, delta_seconds, split_list
from adc.http.dates import parse_http_date
from adc.http.headers import Headers

HEURISTIC_STATUS = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501})
"""Heuristically cacheable status codes (RFC 9110 section 15.1)."""

_DEFAULT_TTL_STATUS = frozenset({200, 203, 204, 206, 300, 301, 308})
_NEGATIVE_STATUS = frozenset({404, 410})
_HEURISTIC_SHARE = 0.1
_HEURISTIC_LIMIT = 86_400.0


def parse_date(value: bytes, now: float) -> int | None:
    """Return an HTTP-date, None if it is invalid, as one in another zone than GMT is (RFC 9111 section 4.2)."""
    return parse_http_date(value.strip(b" \t"), now)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Freshness lifetime in seconds and its source; `explicit` if the origin stated it."""

    seconds: float
    source: str
    explicit: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """Limits that the origin and the operator set for the reuse of one stored response.

    `born` is the wall time at which its age was 0. `always_validate`: never reuse unvalidated (no-cache).
    `never_stale`: no stale use that the response itself does not offer, because it forbids stale use or has no
    lifetime. The stale windows are seconds past freshness. `must_revalidate`: a failed validation is a 504.
    """

    born: float
    lifetime: float
    source: str
    always_validate: bool = False
    never_stale: bool = False
    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0
    must_revalidate: bool = False

    def age(self, now: float) -> float:
        """Return the current age (RFC 9111 section 4.2.3), never negative."""
        return max(0.0, now - self.born)

    def freshness(self, now: float) -> float:
        """Return seconds of freshness left; negative once stale."""
        return self.lifetime - self.age(now)


def terms(
    status: int,
    headers: Headers,
    directives: Directives,
    request_time: float,
    response_time: float,
    options: CacheOptions,
) -> Terms:
    """Work out the terms of a response received at `response_time` to a request sent at `request_time`
    (wall).

    The operator's stale windows extend a lifetime. A response that arrives without any (no caching field, only a
    validator, max-age=0, an old Age) may belong to one client: it is reused stale only as it offers itself.
    """
    life = lifetime(status, headers, directives, response_time, options)
    age = initial_age(headers, request_time, response_time)
    control = directives.control
    always = control.forbids("no-cache")
    strict = always or "must-revalidate" in control or "proxy-revalidate" in control
    must_revalidate = strict or "s-maxage" in control
    offered = life.seconds > age and not must_revalidate
    while_revalidating = control.seconds("stale-while-revalidate")
    if_error = control.seconds("stale-if-error")
    if while_revalidating is None:
        while_revalidating = int(options.stale_while_revalidate) if offered else 0
    if if_error is None:
        if_error = int(options.stale_if_error) if offered else 0
    return Terms(
        born=response_time - age,
        lifetime=life.seconds,
        source=life.source,
        always_validate=always,
        never_stale=must_revalidate or life.seconds <= 0,
        stale_while_revalidate=0.0 if strict else float(while_revalidating),
        stale_if_error=0.0 if strict else float(if_error),
        must_revalidate=must_revalidate,
    )


def lifetime(
    status: int, headers: Headers, directives: Directives, response_time: float, options: CacheOptions
) -> Lifetime:
    """Return the freshness lifetime (RFC 9111 section 4.2.1), then the operator's, then the heuristic one (4.2.2)."""
    control = directives.control
    for name in ("s-maxage", "max-age"):
        seconds = control.seconds(name)
        if seconds is not None:
            return Lifetime(seconds, name, explicit=True)
    if b"expires" in headers and not directives.targeted:
        expires = parse_date(headers.get_all(b"expires")[0], response_time)
        date = received_date(headers, response_time)
        return Lifetime(0 if expires is None else max(0, expires - date), "Expires", explicit=True)
    if options.negative_ttl is not None and status in _NEGATIVE_STATUS:
        return Lifetime(options.negative_ttl, "negative_ttl", explicit=False)
    if options.default_ttl is not None and status in _DEFAULT_TTL_STATUS:
        return Lifetime(options.default_ttl, "default_ttl", explicit=False)
    if status in HEURISTIC_STATUS or "public" in control:
        return Lifetime(_heuristic(headers, response_time), "heuristic", explicit=False)
    return Lifetime(0, "none", explicit=False)


def _heuristic(headers: Headers, response_time: float) -> float:
    modified = headers.get(b"last-modified")
    if modified is None:
        return 0.0
    since = parse_date(modified, response_time)
    if since is None:
        return 0.0
    elapsed = received_date(headers, response_time) - since
    return min(max(0.0, elapsed * _HEURISTIC_SHARE), _HEURISTIC_LIMIT)


def received_date(headers: Headers, response_time: float) -> float:
    """Return the Date field, or the time of receipt if it is missing or unreadable (RFC 9110 section 6.6.1)."""
    value = headers.get(b"date")
    date = None if value is None else parse_date(value, response_time)
    return response_time if date is None else date


def initial_age(headers: Headers, request_time: float, response_time: float) -> float:
    """Return the corrected_initial_age of RFC 9111 section 4.2.3."""
    apparent = max(0.0, response_time - received_date(headers, response_time))
    delay = max(0.0, response_time - request_time)
    return min(max(apparent, age_value(headers) + delay), MAX_SECONDS)


def age_value(headers: Headers) -> int:
    """Return the Age field: its first list member; anything but a whole number is ignored (RFC 9111 section 5.1)."""
    for line in headers.get_all(b"age"):
        for first in split_list(line, 1):
            return delta_seconds(first.decode("latin-1")) or 0
    return 0
