"""The PURGE method: drop what is stored for a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lmdb

from adc.cache.keys import url_key
from adc.cache.purge import Purge, Scope
from adc.http.headers import Headers
from adc.http.message import Response

if TYPE_CHECKING:
    from adc.proxy.caching.lookup import Lookup
    from adc.proxy.exchange import Exchange

_TEXT = (b"Content-Type", b"text/plain; charset=utf-8")


def purge(stage: Lookup, exchange: Exchange) -> None:
    """Answer a PURGE request: 200 when no worker serves the URL from its store any more.

    405 where nobody may purge, 403 for those who may not.
    """
    request = exchange.request
    if not stage.purgers:
        exchange.fail(405, "denied")
        return
    if not stage.purgers.contains(request.client):
        exchange.service.refused("denied", "PURGE from an address that may not", request)
        exchange.fail(403, "denied")
        return
    query = request.query if "?" in request.target else None
    url = url_key(request.scheme, request.authority, request.path, query, stage.options.key)
    try:
        count = stage.store.tiers.purge(Purge(Scope.URL, url))
    except lmdb.Error as error:
        exchange.service.error_log.warn("cache_purge_failed", detail=str(error))
        exchange.fail(503, "cache_failed")
        return
    exchange.cache = "purge"
    body = b"purged %d\n" % count
    exchange.respond(Response(200, Headers([_TEXT]), b"", len(body)), body, True)
