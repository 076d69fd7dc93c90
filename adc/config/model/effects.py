"""The keys of listeners and pools that have an effect, by what a listener carries: `adc check` refuses the others.

A key that is not in a table is as the key above it; every key of a table's parts has an entry or is below one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from adc.config.model.base import Finding

HTTP: Final = "http"
TCP: Final = "tcp"
UDP: Final = "udp"
SMTP: Final = "smtp"
KERNEL: Final = "kernel"
"""Packets of a listener with `datapath: kernel`."""
TERMINATED: Final = "tcp under TLS"
"""Connections of a tcp listener with `tls`."""
PASSED: Final = "TLS passed through"
"""Connections of a tcp listener with `sni` or `tcp.alpn`, whose TLS stays closed."""

_STREAMS: Final = (TCP, TERMINATED, PASSED)
_WORKERS: Final = (HTTP, *_STREAMS, UDP, SMTP)
_ALL: Final = (*_WORKERS, KERNEL)
_ACCEPTED: Final = (HTTP, TCP, SMTP)

LISTENER: Final[Mapping[str, tuple[str, ...]]] = {
    "name": _ALL,
    "bind": _ALL,
    "protocol": _ALL,
    "datapath": _ALL,
    "pool": (TCP, UDP, KERNEL),
    "tls": _ACCEPTED,
    "tls.alpn": (TCP, SMTP),
    "proxy_protocol": _ACCEPTED,
    "trusted_proxies": _ACCEPTED,
    "backlog": _ACCEPTED,
    "forwarded": (HTTP,),
    "real_ip": (HTTP,),
    "trace_context": (HTTP,),
    "redirect_to_https": (HTTP,),
    "hsts": (HTTP,),
    "timeouts": _ACCEPTED,
    "timeouts.request_head": (HTTP,),
    "timeouts.request_body": (HTTP,),
    "timeouts.keep_alive": (HTTP,),
    "timeouts.half_closed": (HTTP,),
    "timeouts.write": (HTTP,),
    "timeouts.tls_handshake": _ACCEPTED,
    "limits": _WORKERS,
    "limits.connections": _WORKERS,
    "limits.connections_per_source": _WORKERS,
    "limits.handshakes": _ACCEPTED,
    "limits.header_bytes": (HTTP,),
    "limits.headers": (HTTP,),
    "limits.target": (HTTP,),
    "limits.body": (HTTP,),
    "limits.body_rate": (HTTP,),
    "limits.requests_per_connection": (HTTP,),
    "sni": (TCP,),
    "tcp": (TCP,),
    "udp": (UDP,),
    "smtp": (SMTP,),
    "sessions": (TCP, UDP, SMTP, KERNEL),
    "sessions.timeouts": (TCP, UDP, SMTP, KERNEL),
    "sessions.timeouts.tcp": (TCP, SMTP, KERNEL),
    "sessions.timeouts.tcp_half_closed": (TCP, KERNEL),
    "sessions.timeouts.udp": (UDP, KERNEL),
    "sessions.timeouts.udp_stream": (UDP, KERNEL),
    "sessions.on_expiry": (TCP, SMTP, KERNEL),
    "sessions.keep_alive": (TCP, SMTP),
    "sessions.keep_alive.client": (TCP, SMTP),
    "sessions.keep_alive.member": (TCP,),
}

POOL: Final[Mapping[str, tuple[str, ...]]] = {
    "members": _ALL,
    "balance": _ALL,
    "panic": _ALL,
    "slow_start": _WORKERS,
    "dns": _WORKERS,
    "persistence": (HTTP, *_STREAMS, UDP),
    "persistence.cookie": (HTTP,),
    "persistence.header": (HTTP,),
    "persistence.query": (HTTP,),
    "persistence.learned": (HTTP,),
    "persistence.source": (HTTP, *_STREAMS, UDP),
    "persistence.tls": (HTTP, TERMINATED, PASSED),
    "persistence.fallback": (HTTP, *_STREAMS, UDP),
    "persistence.absolute_timeout": (HTTP, *_STREAMS, UDP),
    "health.active": _ALL,
    "health.passive": _WORKERS,
    "health.passive.statuses": (HTTP,),
    "limits.connections_per_member": _WORKERS,
    "limits.queue": (HTTP, *_STREAMS),
    "limits.queue_timeout": (HTTP, *_STREAMS),
    "limits.queue_order": (HTTP, *_STREAMS),
    "breaker": (HTTP, *_STREAMS),
    "adaptive": (HTTP, *_STREAMS),
    "keep_alive": (HTTP,),
    "tls": (HTTP, TCP, TERMINATED, SMTP),
    "tls.alpn": (TCP, TERMINATED, SMTP),
    "tls.starttls": (SMTP,),
    "proxy_protocol": (HTTP, *_STREAMS, SMTP),
}

FOR_EACH_USER: Final = ("persistence", "tls.starttls")
"""Keys of a pool that must have an effect for each of its users; for the others it is enough if one uses them."""


def of_listener(listener: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the keys of a listener that have no effect with its protocol and data path; their values may be of any
    type. Keys of a protocol that the table does not know are not looked at."""
    protocol, kernel = listener.get("protocol", HTTP), in_kernel(listener)
    if protocol not in (HTTP, TCP, UDP, SMTP):
        return
    reported = "-"
    for key in written(listener, LISTENER):
        kinds = effect(LISTENER, key)
        if key.startswith(f"{reported}.") or (protocol in kinds and (KERNEL in kinds or not kernel)):
            continue
        reported = key
        if protocol in kinds:
            yield (
                tuple(key.split(".")),
                "has no effect with datapath: kernel; it belongs to datapath: userspace",
            )
        else:
            others = words(kind for kind in kinds if kind != KERNEL)
            yield (
                tuple(key.split(".")),
                f"has no effect with protocol: {protocol}; it belongs to protocol: {others}",
            )


def in_kernel(listener: Mapping[str, Any]) -> bool:
    """True if the listener has `datapath: kernel`, in any form."""
    datapath = listener.get("datapath")
    return (datapath.get("engine") if isinstance(datapath, Mapping) else datapath) == KERNEL


def effect(table: Mapping[str, tuple[str, ...]], key: str) -> tuple[str, ...]:
    """Return what the dotted `key` has an effect for, by its own entry or that of the nearest key above it."""
    while key not in table:
        key = key.rpartition(".")[0]
    return table[key]


def written(value: Mapping[str, Any], table: Mapping[str, tuple[str, ...]], above: str = "") -> Iterator[str]:
    """Yield the dotted keys of a mapping that `table` decides on, without those that are turned off."""
    for name, item in value.items():
        key = f"{above}{name}"
        below = any(entry.startswith(f"{key}.") for entry in table)
        if item is None or item is False or not (below or key in table):
            continue
        if key in table:
            yield key
        if below and isinstance(item, Mapping):
            yield from written(item, table, f"{key}.")


def words(kinds: Iterable[str]) -> str:
    """Return `http`, `http or tcp`, `http, tcp or smtp`."""
    *most, last = kinds
    return f"{', '.join(most)} or {last}" if most else last
