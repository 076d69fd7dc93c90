"""What a worker counts, as samples."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from adc.pools.member import Health
from adc.runtime.serve.cache_metrics import cache_samples
from adc.telemetry.samples import Sample

if TYPE_CHECKING:
    from adc.proxy.pipeline import Pipeline
    from adc.runtime.build.runtime import Runtime
    from adc.runtime.serve.listeners import HttpListener
    from adc.runtime.worker import Worker

_PAGE = resource.getpagesize()


def worker_samples(worker: Worker) -> list[Sample]:
    """Every sample of one worker."""
    runtime = worker.runtime
    samples = [
        *_routes(runtime.pipelines),
        *_pools(runtime),
        *runtime.plugins.samples(),
        *_persistence(worker),
        *cache_samples(worker),
        *_process(worker),
    ]
    for name, listener in worker.listeners.items():
        samples += _routes(listener.preroutes.pipelines)
        samples += _listener(name, listener)
    return samples


def _routes(pipelines: Iterable[Pipeline]) -> Iterator[Sample]:
    for pipeline in pipelines:
        counters, route = pipeline.counters, pipeline.name
        if not counters.statuses:
            continue
        for (listener, status), count in counters.statuses.items():
            yield Sample("adc_requests_total", (listener, route, str(status)), count)
        yield from counters.durations.samples("adc_request_duration_seconds", (route,))
        yield Sample("adc_request_bytes_total", (route,), counters.bytes_in)
        yield Sample("adc_response_bytes_total", (route,), counters.bytes_out)


def _listener(name: str, listener: HttpListener) -> Iterator[Sample]:
    state, service = listener.state, listener.service
    yield Sample("adc_connections_total", (name,), state.accepted)
    yield Sample("adc_connections_active", (name,), len(state.connections))
    yield Sample("adc_requests_total", (name, "", "404"), service.unrouted)
    yield Sample("adc_refused_total", (name, "limit_connections"), state.rejected)
    for facts in listener.tls.facts if listener.tls is not None else ():
        yield Sample("adc_tls_certificate_expiry_seconds", (name, facts.name), facts.expires)
    for reason, count in service.refusals.items():
        yield Sample("adc_refused_total", (name, reason), count)
    for (pool, member, reason), count in service.upstream_errors.items():
        yield Sample("adc_upstream_errors_total", (pool, member, reason), count)


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


def _persistence(worker: Worker) -> Iterator[Sample]:
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


def _process(worker: Worker) -> Iterator[Sample]:
    label = (str(worker.worker_id),)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    with suppress(OSError):  # no descriptor is left for it
        with open("/proc/self/statm", encoding="ascii") as statm:
            resident = int(statm.read().split()[1]) * _PAGE
        yield Sample("adc_worker_resident_bytes", label, resident)
        yield Sample("adc_worker_open_descriptors", label, len(os.listdir("/proc/self/fd")))
    yield Sample("adc_worker_cpu_seconds_total", label, usage.ru_utime + usage.ru_stime)
    if worker.access_log is not None:
        yield Sample("adc_access_log_dropped_total", (), worker.access_log.dropped)
    yield Sample("adc_error_log_suppressed_total", (), worker.error_log.suppressed)
