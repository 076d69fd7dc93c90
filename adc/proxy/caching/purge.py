"""The PURGE method: drop what is stored for a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adc.cache.keys import url_key
from adc.http.headers import Headers
from adc.http.message import Response
from adc.proxy.caching.local_response import LocalResponse
from adc.proxy.caching.route_cache import RouteCache
from adc.proxy.caching.store import SharedStore
from adc.proxy.exchange import Exchange

if TYPE_CHECKING:
    import asyncio

_TEXT = (b"Content-Type", b"text/plain; charset=utf-8")


def purge(cache: RouteCache, exchange: Exchange) -> None:
    """Answer a PURGE request: 200 when no worker serves the URL from its store any more.

    405 where nobody may purge, 403 for those who may not, 503 if a worker was not reached.
    """
    request = exchange.request
    if not cache.purgers:
        exchange.fail(405, "denied")
        return
    if not cache.purgers.contains(request.source):
        exchange.context.refused("denied", "PURGE from an address that may not", request)
        exchange.fail(403, "denied")
        return
    query = request.query if "?" in request.target else None
    url = url_key(request.scheme, request.authority, request.sent_path, query, cache.options.key)
    exchange.cache = "purge"
    Purging(exchange).begin(cache.store, url)


class Purging(LocalResponse):
    """An exchange that waits until its purge has reached every worker. A client that leaves does not stop it."""

    __slots__ = ("_task",)

    def begin(self, store: SharedStore, url: bytes) -> None:
        """Purge `url` and answer."""
        self._task = store.loop.create_task(store.purge_everywhere(url))
        self._task.add_done_callback(self._purged)

    def _purged(self, task: asyncio.Task[int]) -> None:
        if task.cancelled():
            return
        error, exchange = task.exception(), self.exchange
        if error is not None:
            exchange.context.error_log.warn("cache_purge_failed", detail=str(error))
        if self.over:
            return
        self.finish()
        if error is not None:
            exchange.fail(503, "cache_failed")
            return
        body = b"purged %d\n" % task.result()
        exchange.respond(Response(200, Headers([_TEXT]), b"", len(body)), body, True)
