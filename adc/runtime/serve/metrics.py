"""Metrics of a worker, as samples."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import suppress

from adc.pools.member import Health
from adc.runtime.build.runtime import Runtime
from adc.runtime.serve import descriptors
from adc.runtime.serve.cache_metrics import cache_samples
from adc.runtime.serve.route_metrics import route_samples
from adc.runtime.serve.view import Serving
from adc.telemetry.samples import Sample

_PAGE = resource.getpagesize()


def worker_samples(worker: Serving) -> list[Sample]:
    """Return every sample of one worker."""
    runtime = worker.runtime
    samples = [
        *route_samples(runtime.pipelines),
        *_pools(runtime),
        *runtime.plugins.samples(str(worker.worker_id)),
        *_persistence(worker),
        *cache_samples(worker),
        *worker.sessions.samples(),
        *_process(worker),
        *worker.firewall.samples(),
    ]
    for listener in worker.listeners.values():
        samples += listener.samples()
    return samples


def _pools(runtime: Runtime) -> Iterator[Sample]:
    for name, pool in runtime.pools.items():
        yield Sample("adc_pool_active", (name,), pool.active)
        yield Sample("adc_pool_members_available", (name,), sum(member.available for member in pool.members))
        yield Sample("adc_upstream_retries_total", (name,), sum(member.retries for member in pool.members))
        yield Sample("adc_pool_requests_total", (name,), sum(member.requests for member in pool.members))
        if pool.queue is not None:
            yield Sample("adc_pool_queued", (name,), len(pool.queue))
            yield Sample("adc_pool_queue_timeouts_total", (name,), pool.queue.expired)
            yield Sample("adc_pool_queue_refused_total", (name,), pool.queue.refused)
        if pool.breaker is not None:
            for failure, count in pool.breaker.refused.items():
                yield Sample("adc_pool_breaker_refused_total", (name, failure.value), count)
        for member in pool.members:
            labels = (name, member.name)
            yield Sample("adc_member_up", labels, member.health is not Health.DOWN and not member.ejected)
            yield Sample("adc_member_active", labels, member.active)
            yield Sample("adc_member_requests_total", labels, member.requests)
            yield Sample("adc_member_ejections_total", labels, member.ejections)
            if member.link is not None:
                yield Sample("adc_member_connections", labels, member.link.connections)
                yield Sample("adc_member_connects_total", labels, member.link.opened)


def _persistence(worker: Serving) -> Iterator[Sample]:
    yield Sample("adc_state_degraded", (), worker.state.status().degraded)
    yield Sample("adc_cluster_nodes", (), worker.cluster.living)
    for (node, result), count in worker.cluster.passed.items():
        yield Sample("adc_cluster_passed_total", (node, result), count)
    for pool, sticky in worker.runtime.sticky.items():
        counts, table = sticky.persistence.counts, sticky.table
        yield Sample("adc_persistence_created_total", (pool,), counts.created)
        for reason, count in counts.moved.items():
            yield Sample("adc_persistence_moved_total", (pool, reason), count)
        for reason, count in counts.rejected.items():
            yield Sample("adc_persistence_rejected_total", (pool, reason), count)
        if table is not None:
            yield Sample("adc_persistence_entries", (pool,), len(table))
            yield Sample("adc_persistence_expired_total", (pool,), table.stats.expired)
            yield Sample("adc_persistence_evicted_total", (pool,), table.stats.evicted)


def _process(worker: Serving) -> Iterator[Sample]:
    label = (str(worker.worker_id),)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    with suppress(OSError):  # no descriptor is left
        with open("/proc/self/statm", encoding="ascii") as statm:
            resident = int(statm.read().split()[1]) * _PAGE
        yield Sample("adc_worker_resident_bytes", label, resident)
        yield Sample("adc_worker_open_descriptors", label, descriptors.opened())
    yield Sample("adc_worker_start_time_seconds", label, worker.started_at)
    yield Sample("adc_worker_cpu_seconds_total", label, usage.ru_utime + usage.ru_stime)
    if worker.logs.access_log is not None:
        yield Sample("adc_access_log_dropped_total", (), worker.logs.access_log.dropped)
    if worker.logs.session_log is not None:
        yield Sample("adc_session_log_dropped_total", (), worker.logs.session_log.dropped)
    for path, dropped in worker.log_files.dropped().items():
        yield Sample("adc_plugin_log_dropped_total", (path,), dropped)
    yield Sample("adc_error_log_suppressed_total", (), worker.logs.error_log.suppressed)
