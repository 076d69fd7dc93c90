"""Responses that passed the cache by: what they outdate (RFC 9111 section 4.4), POSTs that stand for GETs."""

from __future__ import annotations

import time

import lmdb

from adc.cache.filling import Filling
from adc.cache.invalidation import invalidated_urls
from adc.cache.purge import Purge, Scope
from adc.cache.status import forwarded
from adc.cache.storable import Store, store
from adc.http.message import Response
from adc.proxy.body_filter import BodyFilter
from adc.proxy.caching.cache_stage import CacheStage
from adc.proxy.exchange import Exchange


class CacheBypass:
    """The response stage of a cache, for exchanges that the member answered directly."""

    __slots__ = ("_stage",)

    def __init__(self, stage: CacheStage) -> None:
        self._stage = stage

    def __call__(self, exchange: Exchange, response: Response) -> BodyFilter | None:
        if exchange.cache != "bypass":
            return None
        request = exchange.request
        options, tiers = self._stage.options, self._stage.store.tiers
        try:
            for url in invalidated_urls(request, response, options.key):
                tiers.purge(Purge(Scope.URL, url))
        except lmdb.Error as error:
            exchange.context.error_log.warn("cache_purge_failed", detail=str(error))
        changed = exchange.plugins is not None and exchange.plugins.changes
        kept = self._kept(exchange, response) if request.method == "POST" and not changed else None
        why = "bypass" if request.method in ("GET", "HEAD") else "method"
        status = forwarded(options.name, why, status=response.status, stored=kept is not None)
        response.headers.add(b"Cache-Status", status)
        return kept

    def _kept(self, exchange: Exchange, response: Response) -> BodyFilter | None:
        """Return a filter that stores the response, if a GET may be answered with it."""
        request, tiers = exchange.request, self._stage.store.tiers
        key, now = self._stage.key(request), time.time()
        trusted = exchange.context.trusts(request.client.peer)
        verdict = store(
            key, request, response, exchange.started, now, self._stage.options, peer_trusted=trusted
        )
        if not isinstance(verdict, Store):
            return None
        return Keeping(Filling(tiers, verdict.entry, response.body_length, tiers.mark()))


class Keeping:
    """Stores the content that passes."""

    __slots__ = ("_filling", "changes")

    def __init__(self, filling: Filling) -> None:
        self.changes = False
        self._filling = filling

    def feed(self, data: bytes, end: bool) -> bytes:
        """Change nothing."""
        if not self._filling.write(data):
            self._filling.abort("cannot be stored")
        if end:
            self._filling.commit(time.time())
        return data
