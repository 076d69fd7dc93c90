"""Metrics of a worker, as samples in groups: a reload may come between two groups, not within one."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Iterator
from contextlib import suppress

from adc.pools.member import Health, Member
from adc.pools.pool import Pool
from adc.runtime.serve import descriptors
from adc.runtime.serve.cache_metrics import cache_samples
from adc.runtime.serve.route_metrics import route_samples
from adc.runtime.serve.view import Serving
from adc.telemetry.samples import Sample

_PAGE = resource.getpagesize()


def worker_samples(worker: Serving) -> Iterator[Iterable[Sample]]:
    """Yield every sample of one worker, in groups of a few."""
    runtime = worker.runtime
    for pipeline in runtime.pipelines:
        yield route_samples(pipeline)
    for pool in runtime.pools.values():
        yield _pool(pool)
        for member in pool.members:
            yield _member(pool.name, member)
    yield from runtime.plugins.samples(str(worker.worker_id))
    yield _persistence(worker)
    yield cache_samples(worker)
    yield worker.sessions.samples()
    yield _process(worker)
    yield worker.firewall.samples()
    for listener in list(worker.listeners.values()):
        yield listener.samples()


def _pool(pool: Pool) -> Iterator[Sample]:
    labels = (pool.name,)
    yield Sample("adc_pool_active", labels, pool.active)
    yield Sample("adc_pool_members_available", labels, sum(member.available for member in pool.members))
    yield Sample("adc_upstream_retries_total", labels, sum(member.retries for member in pool.members))
    yield Sample("adc_pool_requests_total", labels, sum(member.requests for member in pool.members))
    if pool.queue is not None:
        yield Sample("adc_pool_queued", labels, len(pool.queue))
        yield Sample("adc_pool_queue_timeouts_total", labels, pool.queue.expired)
        yield Sample("adc_pool_queue_refused_total", labels, pool.queue.refused)
    if pool.breaker is not None:
        for failure, count in pool.breaker.refused.items():
            yield Sample("adc_pool_breaker_refused_total", (*labels, failure.value), count)


def _member(pool: str, member: Member) -> Iterator[Sample]:
    labels = (pool, member.name)
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
