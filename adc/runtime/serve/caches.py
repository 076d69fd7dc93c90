"""The cache stores of a worker, carried over reloads by name and folder."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lmdb

from adc.cache.disk import DiskStore
from adc.cache.environment import Environment
from adc.cache.files import CHECKED_BYTES
from adc.cache.lease import LeaseTable
from adc.cache.memory import MemoryStore
from adc.cache.purge import Purge
from adc.cache.purge_log import PurgeLog
from adc.cache.stats import Stats
from adc.cache.tiered import TieredStore
from adc.config.model import caches as model
from adc.proxy.caching.leases import Leases
from adc.proxy.caching.store import SharedStore
from adc.runtime.errors import BuildError
from adc.telemetry.log_line import Report

PurgeEverywhere = Callable[[str, bytes], Coroutine[Any, Any, int]]
"""Purges a URL in a store in all workers; returns the number of entries. Raises OSError if a worker was not reached."""

_INDEX_ROOM = 64 << 20
_LARGEST_INDEX = 1 << 40
_FLUSH = 5.0
"""Seconds between two times that uses of entries on disk are written down."""

_RETIRED = 30.0
"""Seconds that a store is kept open for exchanges that began before a reload dropped it."""


@dataclass(frozen=True, slots=True)
class _Tier:
    """The tier that the workers share: a folder of at most `size` bytes, `kept` over a restart or not."""

    folder: Path
    size: int
    kept: bool


@dataclass(slots=True)
class _OpenStore:
    store: SharedStore
    folder: Path | None
    sweep: Iterator[int] | None = None


class Caches:
    """Opens, carries over and closes stores. `report` logs an event."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        worker_id: int,
        report: Report,
        purge_everywhere: PurgeEverywhere,
    ) -> None:
        self._purge_everywhere = purge_everywhere
        self._loop = loop
        self._worker_id = worker_id
        self._report = report
        self._parent: Path | None = None
        self._open_stores: dict[str, _OpenStore] = {}
        self._candidate: dict[str, _OpenStore] = {}
        self._retired: list[tuple[float, _OpenStore]] = []
        self._environments: dict[Path, tuple[Environment, int]] = {}
        self._flushed = 0.0
        self._purging: set[asyncio.Task[None]] = set()

    @property
    def stores(self) -> Mapping[str, SharedStore]:
        """The stores in use."""
        return {name: each.store for name, each in self._open_stores.items()}

    def prepare(
        self, caches: Mapping[str, model.CacheStore], parent: Path | None = None
    ) -> Mapping[str, SharedStore]:
        """Return the stores of `caches`; new ones are opened. Stores without `disk` have a folder in `parent`, a folder
        in memory, as the tier that all workers share; None: there is one worker. Raises BuildError."""
        self._parent = parent
        folders = [settings.disk.path for settings in caches.values() if settings.disk is not None]
        if len(set(folders)) != len(folders):
            raise BuildError("caches: two of them have the same disk.path")
        self._candidate = {}
        try:
            for name, settings in caches.items():
                self._candidate[name] = self._carried(name, settings) or self._open(name, settings)
        except (OSError, lmdb.Error) as error:
            self.rollback()
            raise BuildError(f"caches.{name}: {error}") from error
        return {name: each.store for name, each in self._candidate.items()}

    def commit(self, caches: Mapping[str, model.CacheStore]) -> None:
        """Use what was prepared; what is not in it is closed when nothing can need it any more."""
        before, self._open_stores, self._candidate = self._open_stores, self._candidate, {}
        for name, each in self._open_stores.items():
            _resize(each.store.tiers, caches[name], self._tier(name, caches[name]))
        for name, each in before.items():
            if self._open_stores.get(name) is not each:
                self._retired.append((time.monotonic() + _RETIRED, each))

    def rollback(self) -> None:
        """Close the stores opened for the candidate."""
        new = [each for name, each in self._candidate.items() if self._open_stores.get(name) is not each]
        self._candidate = {}
        for each in new:
            self._close(each)

    def tick(self, wall: float) -> None:
        """Write uses down and remove what killed processes left, a little at a time."""
        due = wall - self._flushed >= _FLUSH
        if due:
            self._flushed = wall
        for each in self._open_stores.values():
            disk = each.store.tiers.disk
            if disk is not None and due:
                disk.flush(wall)
            each.store.tiers.catch_up()
            each.store.tiers.memory.step()
            if each.sweep is not None and next(each.sweep, None) is None:
                each.sweep = None
        if self._retired:
            self._close_retired(time.monotonic())

    def purge(self, name: str, purge: Purge, kept_only: bool) -> None:
        """Make a purge of another node; `kept_only`: in a tier that is kept over a restart, if there is one.

        What all workers share the first of them purges.
        """
        each = self._open_stores.get(name)
        if (
            each is None
            or (each.folder is not None and self._worker_id)
            or (kept_only and each.folder is None)
        ):
            return
        task = self._loop.create_task(self._purge(each.store, purge))
        self._purging.add(task)
        task.add_done_callback(self._purging.discard)

    async def _purge(self, store: SharedStore, purge: Purge) -> None:
        try:
            await store.purge(purge)
        except lmdb.Error as error:
            self._report("cache_purge_failed", cache=store.name, detail=str(error))

    def close(self) -> None:
        """Close everything; nothing is served any more. What was counted can still be read."""
        for task in self._purging:
            task.cancel()
        retired = [each for _, each in self._retired]
        self._retired = []
        for each in (*self._open_stores.values(), *retired):
            self._close(each)

    def _carried(self, name: str, settings: model.CacheStore) -> _OpenStore | None:
        each = self._open_stores.get(name)
        tier = self._tier(name, settings)
        folder = None if tier is None else tier.folder
        return each if each is not None and each.folder == folder else None

    def _tier(self, name: str, settings: model.CacheStore) -> _Tier | None:
        if settings.disk is not None:
            return _Tier(Path(settings.disk.path), settings.disk.size, True)
        if self._parent is None or not settings.memory:
            return None
        return _Tier(self._parent / name, min(settings.memory, half_of_file_system(self._parent)), False)

    def _open(self, name: str, settings: model.CacheStore) -> _OpenStore:
        tier = self._tier(name, settings)
        if tier is None:
            return self._alone(name, settings)
        try:
            environment = self._environment(tier)
        except (OSError, lmdb.Error) as error:
            if tier.kept:
                raise
            self._report("cache_not_shared", cache=name, path=tier.folder, detail=str(error))
            return self._alone(name, settings)
        stats = Stats()
        disk = DiskStore(environment, tier.size, stats, self._report)
        log = PurgeLog(environment)
        memory = MemoryStore(settings.memory, _most_in_memory(settings, tier))
        tiers = TieredStore(memory, disk, log, stats, settings.max_object, self._worker_id)
        leases = Leases(LeaseTable(environment), self._loop)
        sweep = disk.sweep(time.time()) if self._worker_id == 0 else None
        return _OpenStore(self._shared(name, tiers, leases), tier.folder, sweep)

    def _alone(self, name: str, settings: model.CacheStore) -> _OpenStore:
        """Open a store in this worker's memory only."""
        memory = MemoryStore(settings.memory, settings.max_object)
        tiers = TieredStore(memory, None, None, Stats(), settings.max_object, self._worker_id)
        return _OpenStore(self._shared(name, tiers, None), None)

    def _shared(self, name: str, tiers: TieredStore, leases: Leases | None) -> SharedStore:
        return SharedStore(name, tiers, leases, self._loop, partial(self._purge_everywhere, name))

    def _environment(self, tier: _Tier) -> Environment:
        """LMDB forbids to open a folder twice in a process: stores that follow each other share it."""
        folder, map_size = tier.folder, min(tier.size + _INDEX_ROOM, _LARGEST_INDEX)
        known = self._environments.get(folder)
        environment = Environment(folder, map_size, tier.kept) if known is None else known[0]
        self._environments[folder] = (environment, 1 if known is None else known[1] + 1)
        return environment

    def _close_retired(self, now: float) -> None:
        kept = []
        for due, each in self._retired:
            if due <= now and not each.store.users:
                self._close(each)
            else:
                kept.append((due, each))
        self._retired = kept

    def _close(self, each: _OpenStore) -> None:
        folder = each.folder
        if folder is None:
            return
        if each.store.tiers.disk is not None:
            each.store.tiers.disk.flush(time.time())
        environment, count = self._environments.pop(folder)
        if count > 1:
            self._environments[folder] = (environment, count - 1)
            return
        try:
            environment.close()
        except (OSError, lmdb.Error) as error:
            self._report("cache_close_failed", path=folder, detail=str(error))


def half_of_file_system(folder: Path) -> int:
    """Return half the size of the file system that `folder` is or will be in: containers often have 64 MB of /dev/shm,
    and the tables are there too."""
    while not folder.exists():
        folder = folder.parent
    found = os.statvfs(folder)
    return found.f_blocks * found.f_frsize // 2


def _most_in_memory(settings: model.CacheStore, tier: _Tier | None) -> int:
    return settings.max_object if tier is None else min(settings.max_object, CHECKED_BYTES)


def _resize(tiers: TieredStore, settings: model.CacheStore, tier: _Tier | None) -> None:
    tiers.max_object = settings.max_object
    tiers.memory.capacity = settings.memory
    tiers.memory.max_object = min(_most_in_memory(settings, tier), settings.memory)
    if tiers.disk is not None and tier is not None:
        tiers.disk.index.limit = tier.size
