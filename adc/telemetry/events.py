"""Every event that the error log can hold: its level, its fields and its meaning."""

from __future__ import annotations

from typing import NamedTuple

from adc.telemetry.log_line import Level


class Event(NamedTuple):
    """A line of the error log. `fields` are all that it can have; some events leave a field out."""

    name: str
    level: Level
    fields: tuple[str, ...]
    meaning: str


def _event(name: str, level: Level, fields: str, meaning: str) -> Event:
    return Event(name, level, tuple(fields.split()), meaning)


EVENTS = (
    _event(
        "accept_paused",
        "error",
        "detail pauses",
        "A worker stopped accepting; `detail` names the limit that it ran into.",
    ),
    _event(
        "acme_challenges_not_shared",
        "warn",
        "detail",
        "The workers cannot answer the certificate authority's challenges.",
    ),
    _event(
        "admin_not_started", "error", "error", "The admin server could not start at its first connection."
    ),
    _event(
        "admin_request_failed", "error", "method path error", "A request to the admin server ended with 500."
    ),
    _event(
        "bad_content", "warn", "detail request_id", "A body filter could not read the content of a response."
    ),
    _event("cache_close_failed", "warn", "path detail", "A cache folder was not closed cleanly."),
    _event("cache_file_dropped", "warn", "file detail", "A damaged cache file was removed from the index."),
    _event(
        "cache_file_not_removed",
        "warn",
        "file detail",
        "A cache file that is no longer needed stays on disk.",
    ),
    _event("cache_file_unreadable", "warn", "file detail", "A cache file could not be opened or read."),
    _event("cache_index_unreadable", "warn", "detail", "The index of a cache folder could not be read."),
    _event("cache_not_shared", "warn", "cache path detail", "Each worker has a separate store."),
    _event("cache_purge_failed", "warn", "cache detail", "A purge did not reach every cache."),
    _event("cache_read_failed", "warn", "detail", "A stored response could not be sent to the end."),
    _event(
        "cache_store_failed",
        "warn",
        "detail",
        "A response could not be written to disk, for example on a full disk.",
    ),
    _event("call_failed", "error", "verb error trace", "A call from another adc process raised an error."),
    _event("certificate_issued", "info", "domains", "The ACME authority issued a certificate."),
    _event(
        "certificate_not_issued",
        "error",
        "domains detail retry_seconds",
        "An ACME order failed; it is repeated after `retry_seconds`.",
    ),
    _event(
        "certificates_not_reloaded",
        "error",
        "listener detail",
        "Changed certificate files could not be loaded; the loaded ones stay in use.",
    ),
    _event("certificates_reloaded", "info", "listener", "Changed certificate files are in use."),
    _event(
        "channel_broken",
        "error",
        "bytes sockets",
        "A message between supervisor and worker exceeded its limits; the channel was closed.",
    ),
    _event(
        "cluster_node_down",
        "warn",
        "node address reason",
        "Probes of another node fail, or it writes no records.",
    ),
    _event("cluster_node_up", "warn", "node address", "Another node joined or lives again."),
    _event(
        "connection_refused",
        "info",
        "reason detail client listener",
        "A connection failed before its first request: TLS, PROXY protocol or a connection limit.",
    ),
    _event(
        "datagrams_dropped",
        "warn",
        "listener reason datagrams",
        "A UDP listener, or `(datagrams)` between nodes, dropped `datagrams` for this reason since the previous line.",
    ),
    _event(
        "error_log_not_opened",
        "error",
        "detail",
        "The supervisor could not open the new error log after a reload; the old one stays in use.",
    ),
    _event("file_failed", "warn", "path detail", "A file that a route serves could not be opened or read."),
    _event(
        "firewall_decided",
        "info",
        "rule action protocol client own listener suppressed",
        "A rule of the firewall decided on a new flow from `client` to `own`; `suppressed` counts unlogged ones.",
    ),
    _event(
        "firewall_set_not_reloaded",
        "error",
        "set detail",
        "The changed file of a set cannot be used; the previous networks stay in force.",
    ),
    _event("firewall_set_reloaded", "info", "set", "The changed file of a set was read."),
    _event(
        "fork_server_replaced",
        "error",
        "detail",
        "The process that workers are forked from ended or hung; another is started.",
    ),
    _event("health_check_failed", "warn", "pool member reason", "Active checks found a member down."),
    _event("health_check_passed", "info", "pool member", "Active checks found a member up."),
    _event(
        "health_not_shared",
        "warn",
        "pool member detail",
        "The workers did not get the result of a health check.",
    ),
    _event(
        "inherited_socket_closed",
        "warn",
        "address reason",
        "A socket from systemd or from the previous process fits no listener.",
    ),
    _event(
        "kernel_reset_not_sent",
        "warn",
        "detail",
        "The ends of an expired TCP flow that the kernel forwarded get RST only when they send.",
    ),
    _event(
        "kernel_rules_changed",
        "error",
        "table",
        "Another program changed or removed our table; adc restores it.",
    ),
    _event(
        "kernel_rules_failed",
        "error",
        "detail",
        "nft did not change the kernel's rules: the previous rules stay in force, and adc tries again.",
    ),
    _event(
        "kernel_rules_recreated",
        "warn",
        "detail",
        "Objects of an earlier run in our table did not fit: the table was recreated, with new counters and rates.",
    ),
    _event("kernel_rules_restored", "info", "", "The kernel's rules match the configuration again."),
    _event(
        "library_message",
        "warn",
        "logger detail error trace",
        "A message of a library, at the level that the library chose.",
    ),
    _event("logs_not_reopened", "error", "detail", "The log files could not be reopened after a rotation."),
    _event("member_failed", "warn", "pool member reason detail request_id", "An attempt at a member failed."),
    _event(
        "member_not_checked", "error", "pool member detail", "Active checks of a member could not be set up."
    ),
    _event(
        "member_state",
        "warn",
        "pool member before after reason",
        "A member changed its state; `info` if it can take requests again.",
    ),
    _event(
        "mirror_differs",
        "warn",
        "route request_id method path difference status mirror_status size mirror_size",
        "The response to a mirrored request differs from that to the client, or one of them was not complete.",
    ),
    _event("notify_failed", "warn", "detail", "The service manager could not be notified (`sd_notify`)."),
    _event("plugin_close_failed", "warn", "route detail", "A plugin raised in `close`."),
    _event(
        "plugin_defect",
        "error",
        "route detail",
        "A chain of plugins failed outside any plugin: a defect of adc.",
    ),
    _event(
        "plugin_message",
        "warn",
        "plugin route request_id detail phase reason",
        "A plugin failed (`phase`, `reason`) or logged a message, with fields that it chose.",
    ),
    _event(
        "redis_back",
        "info",
        "seconds",
        "Redis answers again, and the tables are synchronised; `seconds` is the length of the outage.",
    ),
    _event(
        "redis_change_invalid", "warn", "detail", "A change published by another node could not be decoded."
    ),
    _event(
        "redis_changes_lost",
        "warn",
        "detail",
        "The last changes were not sent to Redis before the store closed.",
    ),
    _event("redis_close_failed", "info", "detail", "A connection to Redis was not closed cleanly."),
    _event("redis_count_failed", "warn", "table detail", "Redis rejected an increment of a counter."),
    _event("redis_lost", "error", "detail", "Redis does not answer; this node serves from what it knows."),
    _event(
        "reload_crashed",
        "error",
        "error trace",
        "A reload raised an unexpected error; the old configuration stays in use.",
    ),
    _event(
        "reload_failed",
        "error",
        "problems",
        "A reload was rejected; the old configuration stays in use. A `reload_problem` follows for each reason.",
    ),
    _event(
        "reload_problem", "error", "detail", "One reason of a rejected reload, with its place in the file."
    ),
    _event("reload_warning", "warn", "detail", "A finding of the lint in a configuration that was loaded."),
    _event("reloaded", "info", "", "A new configuration is in use in all workers."),
    _event("reply_undelivered", "debug", "verb", "The calling process ended before the reply to its call."),
    _event(
        "request_refused",
        "warn",
        "reason detail client listener",
        "A request was rejected before it was routed, or because no route could be chosen.",
    ),
    _event("serving", "info", "config workers", "The service started."),
    _event(
        "shared_key_adopted",
        "info",
        "",
        "Redis had another key than this node signed with; the node signs with that of Redis now and accepts both.",
    ),
    _event(
        "shared_keys_unavailable",
        "warn",
        "detail",
        "Redis did not answer, so this node signs with the key that it has until Redis is back.",
    ),
    _event(
        "smtp_member_failed",
        "warn",
        "pool member reason detail",
        "A conversation with a member of a mail pool failed.",
    ),
    _event(
        "smtp_refused",
        "warn",
        "reason client listener detail",
        "adc itself rejected a message or a connection of a mail client.",
    ),
    _event(
        "smtp_session_failed", "error", "listener error trace", "A command of a mail client raised an error."
    ),
    _event(
        "smtp_users_not_reloaded",
        "error",
        "listener detail",
        "A changed file of users of a mail listener cannot be used; the previous users stay in use.",
    ),
    _event("smtp_users_reloaded", "info", "listener users", "A changed file of users is in use."),
    _event(
        "state_file_replaced",
        "warn",
        "path reason kept",
        "The state file was unusable and replaced by an empty one; the old file is kept under the name `kept`.",
    ),
    _event(
        "state_full",
        "warn",
        "size_mb detail",
        "The tables fill `state.size`; the least recently used entries are evicted.",
    ),
    _event(
        "state_in_memory", "error", "reason", "The state file cannot be used; the tables continue in memory."
    ),
    _event(
        "state_sync_failed",
        "warn",
        "detail",
        "The state file could not be flushed to disk when it was closed.",
    ),
    _event("state_writable", "info", "path", "The state file can be written again."),
    _event(
        "udp_slot_not_bound",
        "warn",
        "address detail",
        "A worker has no UDP socket because another user's process bound the address; the others serve it.",
    ),
    _event(
        "upgrade_failed", "error", "detail", "The new binary did not start to serve; this process continues."
    ),
    _event(
        "upgraded", "info", "successor", "The new binary (process `successor`) serves; this process drains."
    ),
    _event(
        "worker_call_failed",
        "warn",
        "worker command detail",
        "One worker did not execute a command that the others executed.",
    ),
    _event("worker_died", "error", "worker pid detail", "A worker ended unexpectedly; a new one starts."),
    _event("worker_drain_failed", "warn", "worker detail", "A leaving worker did not drain and was killed."),
    _event(
        "worker_killed",
        "error",
        "worker pid reason",
        "A worker was killed because its loop was blocked (`reason=hangs`) or because it did not complete a reload.",
    ),
    _event(
        "worker_over_memory",
        "warn",
        "worker pid successor",
        "A worker exceeded `worker_memory`; process `successor` replaced it.",
    ),
    _event("worker_replaced", "warn", "worker pid", "A new worker serves in place of one that died."),
    _event(
        "worker_start_failed",
        "error",
        "worker detail",
        "A worker did not start; a replacement is tried again.",
    ),
    _event("workers_run_as_root", "warn", "detail", "The workers run as root because `user` is not set."),
)
