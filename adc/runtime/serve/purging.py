"""Purging the stores of a worker."""

from __future__ import annotations

from collections.abc import Mapping

import lmdb

from adc.cache.keys import KeyRules, url_key
from adc.cache.purge import Purge, Scope
from adc.proxy.caching.store import SharedStore
from adc.runtime.errors import BuildError
from adc.runtime.serve.urls import request_of
from adc.runtime.serve.view import Serving

_SCOPES = {"key": Scope.URL, "url": Scope.URL, "prefix": Scope.PREFIX, "tag": Scope.TAG, "all": Scope.ALL}


async def purge_stores(
    worker: Serving, scope: str, target: str | bytes, *, soft: bool, store: str | None, shared: bool
) -> dict[str, int]:
    """Purge the stores with a disk tier (`shared`) or those without: counts by store.

    `scope` is `url`, `prefix`, `tag`, `all`, or `key`, whose target is the URL part of a key as bytes. With `shared`
    the other nodes are notified. Raises BuildError for a URL that is none, an unknown store, or an index that cannot
    be written.
    """
    counts: dict[str, int] = {}
    for name, each in list(_chosen(worker, store).items()):
        purges = [
            Purge(_SCOPES[scope], place, soft) for place in _targets(worker, each, _SCOPES[scope], target)
        ]
        if shared:  # once for all workers
            for purge in purges:
                worker.purges.publish(name, purge)
        if (each.tiers.disk is not None) != shared:
            continue
        try:
            counts[name] = sum([await each.purge(purge) for purge in purges])
        except lmdb.Error as error:
            raise BuildError(f"cache {name} cannot be purged: {error}") from error
    return counts


def _chosen(worker: Serving, name: str | None) -> Mapping[str, SharedStore]:
    stores = worker.caches.stores
    if not name:
        return stores
    if name not in stores:
        raise BuildError(f"there is no cache {name}; there are: {', '.join(sorted(stores)) or 'none'}")
    return {name: stores[name]}


def _targets(worker: Serving, store: SharedStore, scope: Scope, target: str | bytes) -> set[bytes]:
    """Return the purges to make: a URL has a form for each of the rules by which routes make keys of it."""
    if isinstance(target, bytes):
        return {target}
    if scope is Scope.ALL:
        return {b""}
    if scope is Scope.TAG:
        return {target.encode()}
    request = request_of(target)
    query = request.query if "?" in request.target else None
    rules = {KeyRules()}
    if scope is Scope.URL:
        rules |= {stage.options.key for stage in worker.runtime.cache_stages.values() if stage.store is store}
    return {
        url_key(request.scheme, request.authority, path, query, each)
        for path in (request.sent_path, request.path)  # a member may have received either
        for each in rules
    }
