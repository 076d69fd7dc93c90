"""Operators' commands for a worker's caches: figures, purging, and why a URL is served as it is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import lmdb

from adc.cache.entry import Entry
from adc.cache.keys import KeyRules, url_key
from adc.cache.policy import Hit, OnlyIfCached504, lookup
from adc.cache.purge import Purge, Scope
from adc.cache.vary import shown_value
from adc.http.headers import Headers
from adc.http.message import Request
from adc.http.target import BadHost, BadTarget, parse_host, split_target
from adc.proxy.caching.store import COUNTED, SharedStore
from adc.runtime.errors import BuildError
from adc.runtime.serve.cache_metrics import disk_use
from adc.runtime.serve.view import Serving

if TYPE_CHECKING:
    from adc.proxy.caching.cache_stage import CacheStage

Arguments = Mapping[str, Any]

_SCOPES = {"key": Scope.URL, "url": Scope.URL, "prefix": Scope.PREFIX, "tag": Scope.TAG, "all": Scope.ALL}
_WORDS = {"Hit": "hit", "Stale": "stale", "Revalidate": "revalidate", "Miss": "miss"}


def cache_stats(worker: Serving, arguments: Arguments) -> list[dict[str, Any]]:
    """A row for each store: what its tiers hold, and what was counted."""
    return [_figures(store) for store in worker.caches.stores.values()]


def _figures(store: SharedStore) -> dict[str, Any]:
    tiers, counters = store.tiers, store.counters
    row: dict[str, Any] = {
        "store": store.name,
        "memory_bytes": tiers.memory.size,
        "memory_keys": len(tiers.memory),
        "memory_limit": tiers.memory.capacity,
        **tiers.stats.as_dict(),
        **{name: getattr(counters, name) for name in COUNTED},
        "evicted_memory": tiers.memory.evicted,
    }
    if tiers.disk is not None:
        used, entries = disk_use(store)
        row |= {"disk_bytes": used, "disk_entries": entries, "disk_limit": tiers.disk.index.limit}
        row["disk_path"] = str(tiers.disk.objects.parent)
    return row


async def purge_cache(worker: Serving, arguments: Arguments) -> dict[str, int]:
    """Drop, or mark as stale if `soft`, what `scope` and `target` name: counts by store.

    The scope is `url`, `prefix`, `tag`, `all`, or `key`, whose target is the URL part of a key as bytes.
    `part` is `shared` for stores with a disk tier, which one worker purges for all (the others know by the
    purge log before they serve from memory), or `own` for stores that each worker has for itself. With `shared`
    the other nodes are told. Raises
    BuildError for a URL that is none, an unknown store, or an index that cannot be written.
    """
    scope, target = _SCOPES[arguments["scope"]], arguments.get("target", "")
    counts: dict[str, int] = {}
    shared = arguments["part"] == "shared"
    for name, store in list(_chosen(worker, arguments.get("store")).items()):
        soft = bool(arguments.get("soft"))
        purges = [Purge(scope, place, soft) for place in _targets(worker, store, scope, target)]
        if shared:  # once for all workers
            for purge in purges:
                worker.purges.tell(name, purge)
        if (store.tiers.disk is not None) != shared:
            continue
        try:
            counts[name] = sum([await store.purge(purge) for purge in purges])
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
        rules |= {
            lookup.options.key for lookup in worker.runtime.cache_stages.values() if lookup.store is store
        }
    return {
        url_key(request.scheme, request.authority, path, query, each)
        for path in (request.sent_path, request.path)  # a member may have received either
        for each in rules
    }


def request_of(url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Request:
    """The request that `url` stands for. Raises BuildError if it is not a whole http or https URL."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise BuildError(f"{url!r} is not a whole URL; write http://host/path")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query or url.endswith("?") else "")
        path, query, plain = split_target(target)
        host = parse_host(parts.netloc)
    except (ValueError, BadTarget, BadHost) as error:
        raise BuildError(f"{url!r} is not a URL that is served: {error}") from None
    lines = [(b"Host", parts.netloc.encode("latin-1", "replace"))]
    for name, value in (headers or {}).items():
        lines.append((name.encode("latin-1", "replace"), value.encode("latin-1", "replace")))
    proxy_fields = {name.lower(): value for name, value in lines}
    request = Request(
        method, target, path, query, parts.netloc, host, Headers(lines), proxy_fields, scheme=parts.scheme
    )
    request.plain = plain
    return request


def why_cached(worker: Serving, arguments: Arguments) -> dict[str, Any]:
    """Return what a request for `url` would find, and every entry stored for it. Nothing is sent.

    Raises BuildError for a URL that is none.
    """
    request = request_of(arguments["url"], arguments.get("method", "GET"), arguments.get("headers"))
    found = next(_routes(worker, request), None)
    if found is None:
        return {"route": "", "decision": "none", "detail": "no route takes this request", "entries": []}
    route, stage = found
    if stage is None:
        return {"route": route, "decision": "none", "detail": "this route has no cache", "entries": []}
    now = time.time()
    key = stage.key(request)
    entries = stage.store.tiers.find(key, now)
    decision = lookup(request, entries, now, stage.options)
    word = "only-if-cached" if isinstance(decision, OnlyIfCached504) else _WORDS[type(decision).__name__]
    detail = "" if isinstance(decision, OnlyIfCached504) else getattr(decision, "detail", "")
    why = getattr(decision, "why", "")
    chosen = getattr(decision, "entry", None)
    return {
        "route": route,
        "store": stage.store.name,
        "key": key.decode("latin-1"),
        "decision": word,
        "detail": " ".join(text for text in (why, detail) if text)
        or _fresh(chosen, now, isinstance(decision, Hit)),
        "entries": [_entry(entry, now) | {"chosen": entry is chosen} for entry in entries],
    }


def _routes(worker: Serving, request: Request) -> Iterator[tuple[str, CacheStage | None]]:
    """The routes that take the request, listener by listener; those with a cache first."""
    cache_stages = worker.runtime.cache_stages
    pipelines = [find(request) for find in worker.runtime.finders.values()]
    found = {pipeline.name for pipeline in pipelines if pipeline is not None}
    for name in sorted(found, key=lambda name: name not in cache_stages):
        yield name, cache_stages.get(name)


def _fresh(entry: Entry | None, now: float, hit: bool) -> str:
    if entry is None:
        return ""
    left = entry.terms.freshness(now)
    if hit and left > 0:
        return f"fresh for {left:.0f} s by {entry.terms.source}"
    return f"stale since {-left:.0f} s"


def _entry(entry: Entry, now: float) -> dict[str, Any]:
    terms = entry.terms
    return {
        "status": entry.status,
        "age": round(terms.age(now), 1),
        "ttl": round(terms.freshness(now), 1),
        "by": terms.source,
        "must_validate": terms.always_validate or entry.invalid,
        "length": entry.length,
        "tier": "memory" if isinstance(entry.body, bytes) else "disk",
        "etag": (entry.etag or b"").decode("latin-1"),
        "vary": {name.decode("latin-1"): shown_value(value) for name, value in entry.varying},
        "tags": [tag.decode("latin-1") for tag in entry.tags],
        "part": None if entry.part is None else [entry.part.first, entry.part.last],
    }
