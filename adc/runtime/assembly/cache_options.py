"""The cache policy of a route, from the configuration model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from adc.cache.cookies import CookieRules, cookie_names
from adc.cache.keys import KeyRules
from adc.cache.options import CacheOptions
from adc.config.model.policies import RouteCache, VaryCookies
from adc.http.headers import Headers
from adc.proxy.caching.store import SharedStore

NO_STORES: Mapping[str, SharedStore] = MappingProxyType({})
"""For a runtime that does not serve: its routes have no caches."""


def cache_options(
    cache: RouteCache, store: SharedStore, own_cookies: tuple[Callable[[Headers], None], ...] = ()
) -> CacheOptions:
    """Return the policy of one route. `own_cookies` take out of a header block what members do not see."""
    key = cache.key
    return CacheOptions(
        default_ttl=cache.default_ttl,
        negative_ttl=cache.negative_ttl,
        stale_if_error=cache.stale_if_error,
        stale_while_revalidate=cache.stale_while_revalidate,
        tag_header=cache.tag_header.lower().encode(),
        max_object=store.tiers.max_object,
        cookies_need_public=cache.set_cookie == "public",
        ignore_client_no_cache=cache.ignore_client_no_cache,
        key=KeyRules(
            ignore_query=tuple(key.query.ignore),
            only_query=key.query.only,
            sort_query=key.query.sort,
            headers=tuple(name.lower().encode() for name in key.headers),
            cookies=tuple(name.encode() for name in key.cookies),
            counted_cookies=_counted(cache.vary_cookies, own_cookies),
        ),
    )


def _counted(cookies: VaryCookies, own: tuple[Callable[[Headers], None], ...]) -> CookieRules:
    ignored = cookie_names(cookies.ignore) if cookies.ignore else None
    only = None if cookies.only is None else cookie_names(cookies.only)
    return CookieRules(ignored, only, own)
