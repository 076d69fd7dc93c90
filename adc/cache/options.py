"""Options of a route's cache."""

from __future__ import annotations

from dataclasses import dataclass, field

from adc.cache.keys import KeyRules

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """Policy of one route. Times are seconds.

    `default_ttl` is the lifetime of successful responses and permanent redirects for which the origin states none
    (None: the heuristic of RFC 9111 section 4.2.2); `negative_ttl` that of 404 and 410. `stale_if_error` and
    `stale_while_revalidate` apply if the response has no such directive and forbids no stale use. `tag_header`
    (lower-case) names the response field that lists purge tags. `targeted` lists the cache-control fields aimed at
    this cache, most specific first (RFC 9213). With `cookies_need_public`, a response with Set-Cookie is stored only
    if the origin marks it `public`, `s-maxage` or with a targeted field. `name` is the identity in Cache-Status. With
    `ignore_client_no_cache` clients cannot require a response fresher than the stored one.
    """

    default_ttl: float | None = None
    negative_ttl: float | None = None
    stale_if_error: float = 0.0
    stale_while_revalidate: float = 0.0
    tag_header: bytes = b"cache-tag"
    max_object: int = 32 * MB
    max_variants: int = 32
    key: KeyRules = field(default_factory=KeyRules)
    targeted: tuple[bytes, ...] = (b"cdn-cache-control",)
    cookies_need_public: bool = True
    name: str = "adc"
    ignore_client_no_cache: bool = False
