"""The caches: their figures, and purges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Literal

from adc.runtime.operations.convert import OMITTED
from adc.runtime.operations.operation import BadRequest, Node, NodeOperation, Nothing, Operation

if TYPE_CHECKING:
    from adc.proxy.caching.store import SharedStore
    from adc.runtime.serve.view import Serving


@dataclass(frozen=True, slots=True)
class StoreRow:
    """The figures of one store. Those of the disk are left out without a disk tier."""

    store: str
    memory_bytes: int
    memory_keys: int
    memory_limit: int
    corrupt: int
    disk_hits: int
    evicted_disk: int
    evicted_memory: int
    failed_writes: int
    memory_hits: int
    misses: int
    no_room: int
    purged: int
    stored: int
    stored_bytes: int
    too_large: int
    hits: int
    stale: int
    revalidated: int
    collapsed: int
    disk_bytes: int | None = field(default=None, metadata=OMITTED)
    disk_entries: int | None = field(default=None, metadata=OMITTED)
    disk_limit: int | None = field(default=None, metadata=OMITTED)
    disk_path: str | None = field(default=None, metadata=OMITTED)


SHARED = ("disk_bytes", "disk_entries", "disk_limit", "disk_path", "memory_limit", "store")
"""Columns with the same value in every worker; the others add up."""


class ShowStats(Operation[Nothing, list[StoreRow]]):
    """Return the contents of each store's tiers, and its counters."""

    name = "cache.stats"
    reply = list[StoreRow]
    path = "/api/v1/cache"

    def run(self, worker: Serving, request: Nothing) -> list[StoreRow]:
        return [_figures(store) for store in worker.caches.stores.values()]

    def merge(self, replies: Mapping[int, list[StoreRow]]) -> list[StoreRow]:
        merged: dict[str, StoreRow] = {}
        for rows in replies.values():
            for row in rows:
                known = merged.get(row.store)
                merged[row.store] = row if known is None else _add(known, row)
        return list(merged.values())


def _add(one: StoreRow, other: StoreRow) -> StoreRow:
    summed = [each.name for each in fields(StoreRow) if each.name not in SHARED]
    return replace(other, **{name: getattr(one, name) + getattr(other, name) for name in summed})


def _figures(store: SharedStore) -> StoreRow:
    from adc.proxy.caching.store import COUNTED
    from adc.runtime.serve.cache_metrics import disk_use

    tiers = store.tiers
    memory, disk = tiers.memory, tiers.disk
    counts = {
        **tiers.stats.as_dict(),
        **{name: getattr(store.counters, name) for name in COUNTED},
        "evicted_memory": memory.evicted,
    }
    row = StoreRow(store.name, memory.size, len(memory), memory.capacity, **counts)
    if disk is None:
        return row
    used, entries = disk_use(store)
    place = str(disk.objects.parent)
    return replace(row, disk_bytes=used, disk_entries=entries, disk_limit=disk.index.limit, disk_path=place)


@dataclass(frozen=True, slots=True)
class Target:
    """What to purge: a URL, a URL's part of a key (bytes), a prefix, a tag or all; `soft` marks as stale.

    `part` is `shared` for stores with a disk tier, which one worker purges for all (the others read the purge log
    before they serve from memory), or `own` for the stores that each worker has for itself. The worker that purges
    the shared stores notifies the other nodes.
    """

    scope: Literal["url", "key", "prefix", "tag", "all"]
    target: str | bytes = ""
    soft: bool = False
    store: str | None = None
    part: Literal["shared", "own"] = "shared"


Counts = dict[str, int]
"""Entries purged by store."""


class PurgeStores(Operation[Target, Counts]):
    """Purge everywhere: after the reply no worker serves what was purged."""

    name = "cache.purge_stores"
    request, reply = Target, Counts
    timeout = 60.0
    must_reach_all = True

    async def run(self, worker: Serving, request: Target) -> Counts:
        """Purge the stores of one part. Raises BuildError for a URL that is none, an unknown store, or an index that
        cannot be written.
        """
        from adc.runtime.serve.purging import purge_stores

        shared = request.part == "shared"
        return await purge_stores(
            worker, request.scope, request.target, soft=request.soft, store=request.store, shared=shared
        )

    def merge(self, replies: Mapping[int, Counts]) -> Counts:
        return _sum(replies.values())

    async def coordinate(self, node: Node, request: Target) -> Counts:
        shared = await node.one(self, replace(request, part="shared"))
        own = await node.all(self, replace(request, part="own"))
        return _sum([shared, *own.values()])


def _sum(counts: Iterable[Counts]) -> Counts:
    total: Counts = {}
    for each in counts:
        for store, count in each.items():
            total[store] = total.get(store, 0) + count
    return total


@dataclass(frozen=True, slots=True)
class Purge:
    """Exactly one of `url`, `prefix`, `tag` and `all`; in `store`, or in every store. Raises BadRequest."""

    url: str | None = None
    prefix: str | None = None
    tag: str | None = None
    all: bool = False
    soft: bool = False
    store: str | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in self._scopes.items() if value is not None}
        if len(given) + self.all != 1:
            raise BadRequest('say what: {"url": ...}, {"prefix": ...}, {"tag": ...} or {"all": true}')
        if "" in given.values():
            raise BadRequest(f"{next(iter(given))} is empty")

    @property
    def _scopes(self) -> dict[Literal["url", "prefix", "tag"], str | None]:
        return {"url": self.url, "prefix": self.prefix, "tag": self.tag}

    @property
    def target(self) -> Target:
        """The same in the words of the stores."""
        for scope, value in self._scopes.items():
            if value is not None:
                return Target(scope, value, self.soft, self.store)
        return Target("all", "", self.soft, self.store)


@dataclass(frozen=True, slots=True)
class Purged:
    """The number of entries purged, in all and by store."""

    purged: int
    stores: Counts


class PurgeCache(NodeOperation[Purge, Purged]):
    """Purge by URL, prefix, tag, or all."""

    name = "cache.purge"
    request, reply = Purge, Purged
    method = "POST"
    path = "/api/v1/cache/purge"

    async def coordinate(self, node: Node, request: Purge) -> Purged:
        counts = await PURGE_STORES.coordinate(node, request.target)
        return Purged(sum(counts.values()), counts)


STATS = ShowStats()
PURGE = PurgeCache()
PURGE_STORES = PurgeStores()
