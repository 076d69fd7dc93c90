"""Reuse of stored responses (RFC 9111 section 4). `storable` decides about storing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adc.cache.directives import request_directives
from adc.cache.entry import Entry
from adc.cache.options import CacheOptions
from adc.cache.preconditions import ORIGIN_ONLY, asked_range
from adc.cache.validation import CONDITIONAL, conditional_headers, may_serve_on_error
from adc.cache.vary import matches
from adc.http.cache_control import EMPTY, MAX_SECONDS, CacheControl
from adc.http.headers import Pair
from adc.http.message import NO_BODY, Request
from adc.http.ranges import within

WANT_FRESH = frozenset({"no-cache", "max-age", "min-fresh", "max-stale"})
"""Request directives about the staleness that the client accepts (RFC 9111 section 5.2.1). Other directives do not
concern it (5.2.3)."""

_DEMANDS = frozenset({"no-cache", "max-age", "min-fresh"})
"""Request directives that demand a response fresher than the stored one."""


class Hit(NamedTuple):
    """Respond with `entry`, without a request to the member. `detail` is set if it is stale and the client agreed."""

    entry: Entry
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Stale:
    """Respond with `entry` now and validate it in the background (stale-while-revalidate)."""

    entry: Entry
    conditions: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Revalidate:
    """Forward the request first. `conditions` replace the request's If-None-Match and If-Modified-Since; if empty the
    request is forwarded unchanged. `if_error`: `entry` may be served if the member fails. `why`: Cache-Status
    `fwd`."""

    entry: Entry
    conditions: tuple[Pair, ...]
    if_error: bool
    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Miss:
    """Nothing stored fits. `why`: Cache-Status `fwd` (RFC 9211 section 2.2); `method` and `bypass` never
    collapse.
    """

    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OnlyIfCached504:
    """The client wants no fetch and nothing stored fits: 504 (RFC 9111 section 5.2.1.7)."""


Decision = Hit | Stale | Revalidate | Miss | OnlyIfCached504


def lookup(request: Request, entries: Sequence[Entry], now: float, options: CacheOptions) -> Decision:
    """Decide about `request`, with the entries under its key (oldest first), at `now` (wall seconds)."""
    control = wishes(request, options)
    decision: Decision = _bypass(request) or _choose(request, entries, control, now, options)
    if "only-if-cached" in control and isinstance(decision, Miss | Revalidate):
        return OnlyIfCached504()
    return decision


def wishes(request: Request, options: CacheOptions) -> CacheControl:
    """Return the directives of a request that count for `options`."""
    control = request_directives(request.headers)
    if not options.ignore_client_no_cache or _DEMANDS.isdisjoint(control.values):
        return control
    return CacheControl({name: value for name, value in control.values.items() if name not in _DEMANDS})


def takes_stale(request: Request, options: CacheOptions) -> bool:
    """True if a request leaves it to the cache how stale its response is."""
    return WANT_FRESH.isdisjoint(wishes(request, options).values)


def without_conditions(lines: Sequence[Pair]) -> list[Pair]:
    """Return the request lines without the ones that `Revalidate.conditions` replace."""
    return [pair for pair in lines if pair[0].lower() not in CONDITIONAL]


def _bypass(request: Request) -> Miss | None:
    if request.method not in ("GET", "HEAD"):
        return Miss("method", f"method {request.method}")
    if request.body_length != NO_BODY:
        return Miss("bypass", "request has content")
    index = request.headers.index
    for name in ORIGIN_ONLY:
        if name in index:
            return Miss("bypass", f"{name.decode()} is for the origin")
    return None


def _choose(
    request: Request, entries: Sequence[Entry], control: CacheControl, now: float, options: CacheOptions
) -> Decision:
    found = select(request, entries, now, options)
    if found is None:
        return _nothing(request, entries, options)
    held_back = _restrictions(found, control, now)
    if held_back is None:
        return Hit(found)
    why, detail = held_back
    if why == "stale":
        lateness = -found.terms.freshness(now)
        if _accepts_stale(found, control, lateness):
            return Hit(found, "stale, as the client allows")
        within = not found.invalid and 0 <= lateness < found.terms.stale_while_revalidate
        if within and WANT_FRESH.isdisjoint(control.values):
            return Stale(found, conditional_headers(found))
    asked = control.seconds("stale-if-error")
    if_error = may_serve_on_error(found, now, asked) and "no-cache" not in control
    return Revalidate(found, conditional_headers(found), if_error, why, detail)


def reusable(entry: Entry, now: float) -> bool:
    """True if `entry` satisfies ordinary requests without validation."""
    return _restrictions(entry, EMPTY, now) is None


def select(request: Request, entries: Sequence[Entry], now: float, options: CacheOptions) -> Entry | None:
    """Return the most recent entry (by Date) that `request` selects (RFC 9111 section 4.1), None if there is none.

    An entry that the request's fields selected comes before one without Vary: some members omit Vary from the response
    to a request without such fields.
    """
    chosen: Entry | None = None
    cookies = options.key.counted_cookies
    known: dict[bytes, bytes | None] = {}
    for entry in entries:
        if chosen is not None and _rank(entry) < _rank(chosen):
            continue
        if entry.varying and not matches(entry.varying, request.headers, cookies, known):
            continue
        if entry.part is None or _inside(request, entry, now):
            chosen = entry
    return chosen


def _rank(entry: Entry) -> tuple[bool, float]:
    return bool(entry.varying), entry.date


def _inside(request: Request, entry: Entry, now: float) -> bool:
    if entry.part is None or request.method != "GET":
        return False
    asked = asked_range(request.headers, entry, now)
    return asked is not None and within(entry.part, asked) is not None


def _nothing(request: Request, entries: Sequence[Entry], options: CacheOptions) -> Miss:
    if not entries:
        return Miss("uri-miss")
    cookies = options.key.counted_cookies
    known: dict[bytes, bytes | None] = {}
    if any(matches(entry.varying, request.headers, cookies, known) for entry in entries):
        return Miss("partial", "only a part is stored")
    return Miss("vary-miss")


def _restrictions(entry: Entry, control: CacheControl, now: float) -> tuple[str, str] | None:
    """Return why `entry` must be validated first: a Cache-Status `fwd` and words; None if it need not."""
    reuse = entry.terms
    if entry.invalid:
        return "stale", "invalidated"
    if control:
        unwilling = _request_limits(control, reuse.age(now), reuse.freshness(now))
        if unwilling is not None:
            return "request", unwilling
    if reuse.always_validate:
        return "stale", "no-cache"
    return None if reuse.freshness(now) > 0 else ("stale", "")


def _request_limits(control: CacheControl, age: float, left: float) -> str | None:
    """RFC 9111 section 5.2.1."""
    if "no-cache" in control:
        return "request no-cache"
    limit = control.seconds("max-age")
    if limit is not None and age > limit:
        return f"request max-age={limit}"
    wanted = control.seconds("min-fresh")
    if wanted is not None and left < wanted:
        return f"request min-fresh={wanted}"
    return None


def _accepts_stale(entry: Entry, control: CacheControl, lateness: float) -> bool:
    if entry.invalid or entry.terms.never_stale or "max-stale" not in control:
        return False
    limit = MAX_SECONDS if control.get("max-stale") is None else control.seconds("max-stale")
    return limit is not None and lateness <= limit
