"""Every metric that the service exposes: its name, type, help and labels, and how worker values add up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Type = Literal["counter", "gauge", "histogram"]
Merge = Literal["sum", "max", "min"]


class Family(NamedTuple):
    """A metric family in Prometheus words: counters end in `_total`, units are seconds and bytes."""

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    merge: Merge = "sum"

    def combine(self, one: float, other: float) -> float:
        """The value of a series for two processes together."""
        if self.merge == "sum":
            return one + other
        return max(one, other) if self.merge == "max" else min(one, other)


def family_of(name: str) -> Family:
    """The family of a sample called `name`. Raises KeyError if none declares it."""
    return _BY_SAMPLE[name]


def _counter(name: str, text: str, *labels: str) -> Family:
    return Family(name, "counter", text, labels)


def _gauge(name: str, text: str, *labels: str, merge: Merge = "sum") -> Family:
    return Family(name, "gauge", text, labels, merge)


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            # Requests
            _counter("adc_requests_total", "Requests answered.", "listener", "route", "code"),
            Family(
                "adc_request_duration_seconds",
                "histogram",
                "First byte of the request to last byte of the response.",
                ("route",),
            ),
            _counter("adc_request_bytes_total", "Bytes of request content received.", "route"),
            _counter("adc_response_bytes_total", "Bytes of response content sent.", "route"),
            _counter("adc_exchange_ends_total", "Exchanges that did not run to their end.", "reason"),
            _counter("adc_refused_total", "Connections and requests refused.", "listener", "reason"),
            _counter("adc_connections_total", "Connections that reached HTTP, not refused.", "listener"),
            _gauge("adc_connections_active", "Connections open.", "listener"),
            # Pools and members
            _counter("adc_pool_requests_total", "Requests that a pool took.", "pool"),
            _gauge("adc_pool_active", "Requests of a pool in flight.", "pool"),
            _gauge("adc_pool_queued", "Requests waiting for a member.", "pool"),
            _counter("adc_pool_queue_timeouts_total", "Requests that waited too long.", "pool"),
            _gauge("adc_pool_members_available", "Members that may take requests.", "pool", merge="min"),
            _counter("adc_pool_queue_refused_total", "Requests that found the queue full.", "pool"),
            _counter("adc_pool_breaker_refused_total", "Requests the breaker refused.", "pool", "reason"),
            _gauge("adc_member_up", "1 if the member is healthy.", "pool", "member", merge="min"),
            _gauge("adc_member_active", "Requests of a member in flight.", "pool", "member"),
            _gauge("adc_member_connections", "Connections open to a member.", "pool", "member"),
            _counter("adc_member_requests_total", "Requests sent to a member.", "pool", "member"),
            _counter("adc_member_ejections_total", "Ejections by outlier detection.", "pool", "member"),
            _counter("adc_member_connects_total", "Connections opened to a member.", "pool", "member"),
            _counter("adc_upstream_errors_total", "Attempts that failed.", "pool", "member", "reason"),
            _counter("adc_upstream_retries_total", "Attempts after the first.", "pool"),
            # Cache
            _counter("adc_cache_hits_total", "Requests answered from the cache.", "cache"),
            _counter("adc_cache_misses_total", "Requests that the cache did not have.", "cache"),
            _counter("adc_cache_stale_total", "Requests answered with a stale entry.", "cache"),
            _counter("adc_cache_revalidated_total", "Entries that the member confirmed.", "cache"),
            _counter("adc_cache_collapsed_total", "Requests that waited for another's fetch.", "cache"),
            _counter("adc_cache_stores_total", "Responses stored.", "cache"),
            _counter("adc_cache_evictions_total", "Entries removed.", "cache", "reason"),
            _gauge("adc_cache_bytes", "Bytes stored by the tier.", "cache", "tier"),
            _gauge(
                "adc_cache_filling_bytes", "Bytes of responses being received for the tier.", "cache", "tier"
            ),
            _gauge("adc_cache_entries", "Entries stored by the tier.", "cache", "tier"),
            # Persistence
            _gauge("adc_persistence_entries", "Clients pinned.", "pool", merge="max"),
            _counter("adc_persistence_created_total", "Pins made.", "pool"),
            _counter("adc_persistence_expired_total", "Pins that timed out.", "pool"),
            _counter("adc_persistence_evicted_total", "Pins removed for room.", "pool"),
            _counter("adc_persistence_moved_total", "Pins moved to another member.", "pool", "reason"),
            _counter("adc_persistence_rejected_total", "Pins of a client not believed.", "pool", "reason"),
            # Plugins
            _counter("adc_plugin_stopped_total", "Exchanges that a plugin answered.", "route", "plugin"),
            _counter(
                "adc_plugin_errors_total",
                "Calls of a phase that failed.",
                "route",
                "plugin",
                "phase",
                "reason",
            ),
            _counter(
                "adc_plugin_counter_total", "Counters that plugins declare.", "route", "plugin", "counter"
            ),
            _gauge("adc_plugin_gauge", "Gauges that plugins declare.", "route", "plugin", "gauge", "worker"),
            _gauge(
                "adc_plugin_metric_info",
                "1; the label help describes a counter or gauge of a plugin.",
                "route",
                "plugin",
                "metric",
                "help",
                merge="max",
            ),
            _gauge(
                "adc_plugin_table_entries",
                "Entries in a table of a plugin.",
                "route",
                "plugin",
                "table",
                merge="max",
            ),
            _counter(
                "adc_plugin_table_evicted_total",
                "Live entries removed from a full table of a plugin.",
                "route",
                "plugin",
                "table",
            ),
            # State and cluster
            _counter(
                "adc_cluster_passed_total", "Requests passed to the node they belong to.", "node", "result"
            ),
            _gauge("adc_cluster_nodes", "Other nodes that live.", merge="max"),
            _gauge("adc_state_degraded", "1 while the state store does not work as it should.", merge="max"),
            # Processes
            _gauge("adc_worker_start_time_seconds", "Start, seconds since the epoch.", "worker"),
            _gauge("adc_worker_resident_bytes", "Memory of the worker.", "worker"),
            _gauge("adc_worker_open_descriptors", "File descriptors of the worker.", "worker"),
            _counter("adc_worker_cpu_seconds_total", "Processor time of the worker.", "worker"),
            _counter("adc_worker_restarts_total", "Workers replaced after they died."),
            _counter("adc_reloads_total", "Reloads.", "result"),
            _counter("adc_access_log_dropped_total", "Access log lines lost."),
            _counter("adc_error_log_suppressed_total", "Error log lines held back."),
            _gauge(
                "adc_tls_certificate_expiry_seconds",
                "End of validity, seconds since the epoch.",
                "listener",
                "name",
                merge="min",
            ),
            _gauge("adc_config_info", "1; the label tells the configuration in use.", "hash", merge="max"),
            _gauge(
                "adc_config_loaded_seconds",
                "When the configuration was taken into use, seconds since the epoch.",
                merge="max",
            ),
            _gauge("adc_build_info", "1; the label tells the version.", "version", merge="max"),
        )
    }
)

_BY_SAMPLE: Mapping[str, Family] = MappingProxyType(
    {
        family.name + suffix: family
        for family in FAMILIES.values()
        for suffix in (("_bucket", "_sum", "_count") if family.type == "histogram" else ("",))
    }
)
