"""Metrics of a worker's caches, as samples."""

from __future__ import annotations

from collections.abc import Iterator

import lmdb

from adc.proxy.caching.store import COUNTED, SharedStore
from adc.runtime.serve.view import Serving
from adc.telemetry.samples import Sample


def cache_samples(worker: Serving) -> Iterator[Sample]:
    """Yield the samples of every store. All workers share the disk tier: the first one reports it."""
    for name, store in worker.caches.stores.items():
        counters, tiers = store.counters, store.tiers
        stats = tiers.stats
        for word in COUNTED:
            yield Sample(f"adc_cache_{word}_total", (name,), getattr(counters, word))
        yield Sample("adc_cache_stores_total", (name,), stats.stored)
        yield Sample("adc_cache_evictions_total", (name, "memory"), tiers.memory.evicted)
        yield Sample("adc_cache_evictions_total", (name, "disk"), stats.evicted_disk)
        yield Sample("adc_cache_evictions_total", (name, "purged"), stats.purged)
        yield Sample("adc_cache_evictions_total", (name, "corrupt"), stats.corrupt)
        yield Sample("adc_cache_bytes", (name, "memory"), tiers.memory.size)
        yield Sample("adc_cache_filling_bytes", (name, "memory"), tiers.memory.claims.total)
        yield Sample("adc_cache_entries", (name, "memory"), len(tiers.memory))
        if tiers.disk is not None:
            yield Sample("adc_cache_filling_bytes", (name, "disk"), tiers.disk.claims.total)
        if tiers.disk is not None and worker.worker_id == 0:
            used, entries = disk_use(store)
            yield Sample("adc_cache_bytes", (name, "disk"), used)
            yield Sample("adc_cache_entries", (name, "disk"), entries)


def disk_use(store: SharedStore) -> tuple[int, int]:
    """Return bytes and entries on disk; zeros while the index cannot be read."""
    disk = store.tiers.disk
    try:
        return (0, 0) if disk is None else (disk.index.total(), len(disk.index))
    except lmdb.Error:
        return 0, 0
