"""Validation of stored responses: the conditional request, and the effect of its response (RFC 9111 section 4.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adc.cache.directives import Directives, response_directives
from adc.cache.entry import Entry
from adc.cache.freshness import terms
from adc.cache.options import CacheOptions
from adc.cache.storable import MAX_TAGS, entry_for, may_update, stored_headers
from adc.cache.vary import vary_names
from adc.http.headers import Headers, Pair
from adc.http.message import Request, Response
from adc.http.preconditions import same_weakly

CONDITIONAL = frozenset({b"if-none-match", b"if-modified-since"})
"""Request fields that the cache's own conditional request replaces."""

_KEPT_AS_STORED = frozenset({b"content-encoding", b"content-range", b"content-length"})
"""Fields that describe the bytes held, which a 304 does not change (RFC 9111 section 3.2)."""

STALE_ERRORS = frozenset({500, 502, 503, 504})
"""Statuses that `stale-if-error` replaces by a stored response (RFC 5861 section 4)."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """An entry that the origin confirmed. `keep` False: respond with it now, then drop it. `apart`: it is for this
    client only, and the stored entry stays unchanged. `own` are cookie lines of the confirming response: they go to
    this client and are not stored."""

    entry: Entry
    keep: bool = True
    apart: bool = False
    own: tuple[Pair, ...] = ()


def conditional_headers(entry: Entry) -> tuple[Pair, ...]:
    """Return the validators to send, () if the entry has none (RFC 9111 section 4.3.1)."""
    lines: list[Pair] = []
    if entry.etag is not None:
        lines.append((b"If-None-Match", entry.etag))
    if entry.last_modified is not None:
        lines.append((b"If-Modified-Since", entry.last_modified))
    return tuple(lines)


def refresh(
    entry: Entry,
    request: Request,
    response: Response,
    request_time: float,
    response_time: float,
    options: CacheOptions,
    *,
    peer_trusted: bool = False,
) -> Refreshed | None:
    """Update `entry` by a 304, or None if that 304 speaks of another representation (RFC 9111 section 4.3.4).

    After None the entry must go, and the request be sent again without the cache's conditions. `peer_trusted` as
    in `storable.store`.
    """
    if not _confirms(entry, response):
        return None
    own = tuple(pair for pair in response.headers if pair[0].lower() == b"set-cookie")
    updated = _updated(entry, request, response, request_time, response_time, options)
    directives = response_directives(updated.headers, options.targeted)
    apart = not may_update(request, directives, peer_trusted)
    return Refreshed(updated, _may_stay(updated, directives), apart, own)


def _may_stay(updated: Entry, directives: Directives) -> bool:
    control = directives.control
    if ("no-store" in control and "must-understand" not in control) or control.forbids("private"):
        return False
    return vary_names(updated.headers) is not None and len(updated.tags) <= MAX_TAGS


def refresh_by_head(
    entry: Entry,
    request: Request,
    response: Response,
    request_time: float,
    response_time: float,
    options: CacheOptions,
    *,
    peer_trusted: bool = False,
) -> Entry | None:
    """Update `entry` by a response to HEAD, None if that shows it to be outdated (RFC 9111 section 4.3.5).

    Statuses that do not concern the representation leave it unchanged, and so do responses for one client only.
    """
    if not may_update(request, response_directives(response.headers, options.targeted), peer_trusted):
        return entry
    if response.status in (404, 410):
        return None
    if response.status != entry.status or entry.part is not None:
        return entry if response.status != 200 else None
    length = response.body_length
    if length >= 0 and length != entry.length and b"content-encoding" not in response.headers:
        return None
    if not _confirms(entry, response):
        return None
    updated = _updated(entry, request, response, request_time, response_time, options)
    return updated if _may_stay(updated, response_directives(updated.headers, options.targeted)) else None


def may_serve_on_error(entry: Entry, now: float, asked: float | None = None) -> bool:
    """True if a stale `entry` may replace an error of the origin (RFC 5861 section 4).

    `asked`: seconds of `stale-if-error` in the request, if it has one.
    """
    reuse = entry.terms
    if reuse.always_validate or entry.invalid or (reuse.never_stale and not reuse.stale_if_error):
        return False
    window = reuse.stale_if_error if asked is None or reuse.never_stale else max(asked, reuse.stale_if_error)
    left = reuse.freshness(now)
    return left > 0 or (window > 0 and -left <= window)


def _confirms(entry: Entry, response: Response) -> bool:
    etag = response.headers.get(b"etag")
    if etag is not None:
        return entry.etag is not None and same_weakly(etag, entry.etag)
    modified = response.headers.get(b"last-modified")
    return modified is None or entry.last_modified is None or modified == entry.last_modified


def _updated(
    entry: Entry,
    request: Request,
    response: Response,
    request_time: float,
    response_time: float,
    options: CacheOptions,
) -> Entry:
    """Return the entry with the fields of a newer response in place of its fields (RFC 9111 section 3.2)."""
    newer = stored_headers(
        response.headers, response_directives(response.headers, options.targeted), response_time
    )
    replaced = {pair[0].lower() for pair in newer} - _KEPT_AS_STORED - {b"set-cookie"}
    lines = [pair for pair in entry.headers if pair[0].lower() not in replaced]
    lines += [pair for pair in newer if pair[0].lower() in replaced]
    merged = Headers(lines)
    directives = response_directives(merged, options.targeted)
    timed = Headers([*lines, *(pair for pair in response.headers if pair[0].lower() == b"age")])
    reuse = terms(entry.status, timed, directives, request_time, response_time, options)
    head = Response(entry.status, merged, entry.reason, entry.length)
    fresh = entry_for(entry.key, request, head, merged, reuse, response_time, options)
    return replace(fresh, part=entry.part, length=entry.length, body=entry.body)
