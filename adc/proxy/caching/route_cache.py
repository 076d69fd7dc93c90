"""The cache of one route, as fetches see it."""

from __future__ import annotations

from abc import abstractmethod

from adc.cache.collapse import Role
from adc.cache.entry import Entry
from adc.cache.options import CacheOptions
from adc.http.headers import Pair
from adc.http.networks import Networks
from adc.proxy.caching.store import SharedStore
from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Action
from adc.proxy.upstream.request import UpstreamRequest


class RouteCache:
    """`following` asks the member. `purgers` may send PURGE, nobody if it is empty."""

    __slots__ = ("following", "options", "purgers", "store")

    def __init__(
        self,
        store: SharedStore,
        options: CacheOptions,
        following: Action[UpstreamRequest],
        purgers: Networks | None = None,
    ) -> None:
        self.store = store
        self.options = options
        self.following = following
        self.purgers = purgers or Networks()

    @abstractmethod
    def __call__(self, exchange: Exchange) -> None:
        """Respond from the cache, or ask the member. It is here because a compiled class can be callable only if its
        base is."""

    @abstractmethod
    def look(self, exchange: Exchange, key: bytes, role: Role | None = None) -> None:
        """Look in all tiers, and ask the member if that is due. `role` is what another request's fetch made
        of this one; FOLLOW: it has ended, so look afresh.
        """

    @abstractmethod
    def serve(
        self, exchange: Exchange, entry: Entry, cache_status: bytes, now: float, own: tuple[Pair, ...] = ()
    ) -> None:
        """Respond from `entry`, whose content is loaded, with `Cache-Status` and the lines `own`."""
