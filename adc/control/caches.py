"""Questions about caches that all workers answer together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adc.admin.node import Refused, Unavailable
from adc.control.calls import CallFailed, CallRefused
from adc.control.fleet import Fleet

PURGE = "cache.purge"

SHARED = ("disk_bytes", "disk_entries", "disk_limit", "disk_path", "memory_limit", "store")
"""Columns in which every worker says the same; the others add up."""


async def cache_stats(fleet: Fleet) -> list[dict[str, Any]]:
    """A row per store, counters summed over the workers. Raises Unavailable."""
    merged: dict[str, dict[str, Any]] = {}
    for rows in (await _ask(fleet, "cache.stats", {})).values():
        for row in rows:
            known = merged.setdefault(row["store"], {})
            for column, value in row.items():
                known[column] = known.get(column, 0) + value if column not in SHARED else value
    return list(merged.values())


async def purge_cache(fleet: Fleet, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Purge in every worker; `purged` is the number of entries. Raises Refused, Unavailable."""
    try:
        counts = await purge_everywhere(fleet, wanted)
    except CallRefused as error:
        raise Refused(str(error)) from error
    except CallFailed as error:
        raise Unavailable(str(error)) from error
    return {"purged": sum(counts.values()), "stores": counts}


async def purge_everywhere(fleet: Fleet, wanted: Mapping[str, Any]) -> dict[str, int]:
    """Purge in every worker; counts by store. Raises CallRefused, CallFailed.

    When this returns no worker serves what was purged: one purges the tiers that all share and tells the
    others by the log that they read before each answer; what each has for itself is purged by each.
    """
    counts: dict[str, int] = await fleet.call_one(PURGE, {**wanted, "part": "shared"})
    asked = dict(fleet.workers)
    answers = await fleet.call_all(PURGE, {**wanted, "part": "own"})
    for worker_id, worker in asked.items():
        if worker_id not in answers and fleet.workers.get(worker_id) is worker:
            raise CallFailed(f"worker {worker_id} did not purge")
    for answer in answers.values():
        for store, count in answer.items():
            counts[store] = counts.get(store, 0) + count
    return counts


async def why_cached(fleet: Fleet, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each worker's decision about a request. Raises Refused, Unavailable."""
    answers = await _ask(fleet, "cache.why", wanted)
    return [{"worker": worker, **answer} for worker, answer in sorted(answers.items())]


async def _ask(fleet: Fleet, command: str, wanted: Mapping[str, Any]) -> dict[int, Any]:
    try:
        return await fleet.call_all(command, wanted)
    except CallRefused as error:
        raise Refused(str(error)) from error
    except CallFailed as error:
        raise Unavailable(str(error)) from error
