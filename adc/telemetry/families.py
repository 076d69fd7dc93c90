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
        """Return the value of a series for two processes together."""
        if self.merge == "sum":
            return one + other
        return max(one, other) if self.merge == "max" else min(one, other)


def family_of(name: str) -> Family:
    """Return the family of a sample called `name`. Raises KeyError if none declares it."""
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
            _counter("adc_requests_total", "Requests with a response.", "listener", "route", "code"),
            Family(
                "adc_request_duration_seconds",
                "histogram",
                "First byte of the request to last byte of the response.",
                ("route",),
            ),
            _counter("adc_request_bytes_total", "Bytes of request content received.", "route"),
            _counter("adc_response_bytes_total", "Bytes of response content sent.", "route"),
            _counter(
                "adc_mirror_compared_total",
                "Mirrored requests by result of the comparison.",
                "route",
                "result",
            ),
            _counter("adc_exchange_ends_total", "Exchanges that ended early.", "reason"),
            _counter(
                "adc_trailers_dropped_total", "Trailer fields dropped, by direction.", "listener", "direction"
            ),
            _counter("adc_refused_total", "Rejected connections and requests.", "listener", "reason"),
            _counter("adc_connections_total", "Accepted connections that reached HTTP.", "listener"),
            _gauge("adc_connections_active", "Open connections.", "listener"),
            _counter(
                "adc_flow_bytes_total", "Bytes of a tcp listener, by their sender.", "listener", "sender"
            ),
            _counter("adc_flow_ends_total", "Ended TCP connections, by reason.", "listener", "reason"),
            _counter(
                "adc_datagrams_total", "Datagrams of a udp listener, by their sender.", "listener", "sender"
            ),
            _counter(
                "adc_firewall_packets_total",
                "New flows that a rule of the firewall matched; packets with engine: nftables.",
                "rule",
                "action",
            ),
            _counter("adc_datagrams_dropped_total", "Datagrams dropped, by reason.", "listener", "reason"),
            _counter(
                "adc_smtp_messages_total",
                "Messages by the pool that they went to and its decision: accepted, deferred, rejected.",
                "listener",
                "pool",
                "result",
            ),
            _counter(
                "adc_datagrams_passed_total",
                "Datagrams passed to the node that owns their session.",
                "listener",
            ),
            _counter("adc_sessions_taken_over_total", "UDP sessions continued for another node.", "listener"),
            # Session table
            _gauge("adc_sessions", "Sessions in the table.", "protocol", "listener", "state"),
            _gauge("adc_sessions_limit", "Maximum number of sessions in the table."),
            _counter("adc_sessions_opened_total", "Sessions opened.", "protocol", "listener"),
            _counter(
                "adc_sessions_ended_total",
                "Sessions ended, by reason: expired, evicted, killed, or what ended the flow.",
                "protocol",
                "listener",
                "reason",
            ),
            _counter("adc_session_log_dropped_total", "Lines of the session log that were lost."),
            # Pools and members
            _counter("adc_pool_requests_total", "Requests dispatched to the pool.", "pool"),
            _gauge("adc_pool_active", "In-flight requests of the pool.", "pool"),
            _gauge("adc_pool_queued", "Requests that wait for a member.", "pool"),
            _counter("adc_pool_queue_timeouts_total", "Requests that timed out in the queue.", "pool"),
            _gauge("adc_pool_members_available", "Members available for requests.", "pool", merge="min"),
            _counter("adc_pool_queue_refused_total", "Requests rejected because the queue was full.", "pool"),
            _counter(
                "adc_pool_breaker_refused_total",
                "Requests rejected by the circuit breaker.",
                "pool",
                "reason",
            ),
            _gauge("adc_member_up", "1 if the member is healthy.", "pool", "member", merge="min"),
            _gauge("adc_member_active", "In-flight requests of the member.", "pool", "member"),
            _gauge("adc_member_connections", "Open connections to the member.", "pool", "member"),
            _counter("adc_member_requests_total", "Requests sent to the member.", "pool", "member"),
            _counter("adc_member_ejections_total", "Ejections by outlier detection.", "pool", "member"),
            _counter("adc_member_connects_total", "Connections opened to the member.", "pool", "member"),
            _counter("adc_upstream_errors_total", "Failed attempts.", "pool", "member", "reason"),
            _counter("adc_upstream_retries_total", "Attempts after the first.", "pool"),
            # Cache
            _counter("adc_cache_hits_total", "Requests served from the cache.", "cache"),
            _counter("adc_cache_misses_total", "Requests without a stored response.", "cache"),
            _counter("adc_cache_stale_total", "Requests served with a stale response.", "cache"),
            _counter("adc_cache_revalidated_total", "Stored responses validated by a member.", "cache"),
            _counter(
                "adc_cache_collapsed_total", "Requests collapsed into another request's fetch.", "cache"
            ),
            _counter("adc_cache_stores_total", "Responses stored.", "cache"),
            _counter("adc_cache_evictions_total", "Entries removed.", "cache", "reason"),
            _gauge("adc_cache_bytes", "Bytes in the tier.", "cache", "tier"),
            _gauge(
                "adc_cache_filling_bytes", "Bytes of responses being received for the tier.", "cache", "tier"
            ),
            _gauge("adc_cache_entries", "Entries in the tier.", "cache", "tier"),
            # Persistence
            _gauge("adc_persistence_entries", "Pinned clients.", "pool", merge="max"),
            _counter("adc_persistence_created_total", "Pins made.", "pool"),
            _counter("adc_persistence_expired_total", "Expired pins.", "pool"),
            _counter("adc_persistence_evicted_total", "Evicted pins.", "pool"),
            _counter("adc_persistence_moved_total", "Pins moved to another member.", "pool", "reason"),
            _counter("adc_persistence_rejected_total", "Invalid client pins rejected.", "pool", "reason"),
            # Plugins
            _counter(
                "adc_plugin_stopped_total",
                "Exchanges that a plugin ended with a response.",
                "route",
                "plugin",
            ),
            _counter(
                "adc_plugin_errors_total",
                "Failed calls of a phase.",
                "route",
                "plugin",
                "phase",
                "reason",
            ),
            _counter(
                "adc_plugin_counter_total", "Counters that plugins declare.", "route", "plugin", "counter"
            ),
            _counter("adc_plugin_log_dropped_total", "Lines of plugins' log files that were lost.", "path"),
            _counter(
                "adc_plugin_keyed_counter_total",
                "Counters that plugins declare with a key, such as the id of a rule.",
                "route",
                "plugin",
                "counter",
                "key",
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
                "adc_cluster_passed_total",
                "Requests passed to the node that owns their client.",
                "node",
                "result",
            ),
            _gauge("adc_cluster_nodes", "Live other nodes that every worker knows of.", merge="min"),
            _gauge("adc_state_degraded", "1 while the state store is degraded.", merge="max"),
            # Processes
            _gauge(
                "adc_worker_start_time_seconds", "Start of the worker, seconds since the epoch.", "worker"
            ),
            _gauge("adc_worker_resident_bytes", "Resident memory of the worker in bytes.", "worker"),
            _gauge("adc_worker_open_descriptors", "Open file descriptors of the worker.", "worker"),
            _counter("adc_worker_cpu_seconds_total", "Processor time of the worker in seconds.", "worker"),
            _counter("adc_worker_restarts_total", "Workers replaced after they died."),
            _counter("adc_reloads_total", "Reloads.", "result"),
            _counter("adc_access_log_dropped_total", "Access log lines dropped."),
            _counter("adc_error_log_suppressed_total", "Error log lines suppressed by the rate limit."),
            _gauge(
                "adc_tls_certificate_expiry_seconds",
                "End of validity, seconds since the epoch.",
                "listener",
                "name",
                merge="min",
            ),
            _gauge(
                "adc_config_info",
                "1; the label is the hash of the configuration in use.",
                "hash",
                merge="max",
            ),
            _gauge(
                "adc_config_loaded_seconds",
                "Time of the last change of the configuration, seconds since the epoch.",
                merge="max",
            ),
            _gauge("adc_build_info", "1; the label is the version.", "version", merge="max"),
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
