"""A listener: a bound socket with a protocol, its limits and timeouts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from adc.config.model.address import EACH_PORT, ListenRange
from adc.config.model.base import Finding, Forms, Part
from adc.config.model.datapath import Datapath, of_kernel
from adc.config.model.effects import of_listener
from adc.config.model.protocols import NEEDS_POOL, PROTOCOLS
from adc.config.model.sessions import ListenerSessions
from adc.config.model.smtp import Smtp
from adc.config.model.smtp import contradictions as smtp_contradictions
from adc.config.model.tcp import Tcp, tcp_contradictions
from adc.config.model.tls import ListenerTls
from adc.config.model.types import (
    LISTED,
    OFF,
    Flag,
    Name,
    Networks,
    among,
    byte_size,
    duration,
    text_of,
    whole,
)
from adc.config.model.udp import Udp

ServerName = Annotated[
    str,
    text_of(
        r"(?:\*\.)?(?:[A-Za-z0-9_-]{1,63}\.){0,20}[A-Za-z0-9_-]{1,63}",
        "a server name, such as a.example.com or *.example.com",
    ),
]


class ListenerTimeouts(Part):
    """Timeouts towards the client; 0 means no limit."""

    request_head: Annotated[float, duration("0s", "10m")] = Field(
        10.0, description="Maximum time from the first byte of a request to the end of its head."
    )
    request_body: Annotated[float, duration("0s", "1h")] = Field(
        30.0, description="Maximum wait for the next byte of a request body."
    )
    keep_alive: Annotated[float, duration("0s", "1h")] = Field(
        75.0, description=("Maximum idle time between two requests.")
    )
    half_closed: Annotated[float, duration("0s", "1h")] = Field(
        5.0,
        description=(
            "Maximum time from the client closing its half of the connection to the first byte of its response."
        ),
    )
    write: Annotated[float, duration("0s", "1h")] = Field(
        60.0, description="Maximum time without the client reading a byte of a response."
    )
    tls_handshake: Annotated[float, duration("1s", "5m")] = Field(
        10.0, description="Maximum time from the accepted connection to the completed handshake."
    )


class ListenerLimits(Part):
    """Limits towards clients."""

    connections: Annotated[int, whole(1, 1_000_000)] = Field(
        20_000, description="Maximum number of open connections of the listener."
    )
    connections_per_source: Annotated[int, whole(0, 1_000_000)] = Field(
        0,
        description=(
            "Maximum number of open connections of one client in all workers of the node (UDP: of sessions in each "
            "worker); 0: no limit."
        ),
    )
    handshakes: Annotated[int, whole(1, 1_000_000)] = Field(
        1000,
        description=(
            "Maximum number of TLS handshakes in progress in a worker. Further clients wait in the kernel's queue, up "
            "to a second; then the oldest handshake is closed."
        ),
    )
    header_bytes: Annotated[int, byte_size("1KB", "1MB")] = Field(
        32_768, description="Maximum size of a request head, and of a trailer section; larger ones get 431."
    )
    headers: Annotated[int, whole(1, 10_000)] = Field(
        100, description="Maximum number of request fields, and of trailer fields; more get 431."
    )
    target: Annotated[int, byte_size("256B", "64KB")] = Field(
        8192, description="Maximum length of a request target; longer ones get 414."
    )
    body: Annotated[int, byte_size("0B", "1TB")] = Field(
        16 << 30, description=("Maximum size of a request body; larger ones get 413.")
    )
    body_rate: Annotated[int, byte_size("0B", "1GB")] = Field(
        500, description="Minimum average rate of a request body in bytes a second; 0: no minimum."
    )
    requests_per_connection: Annotated[int, whole(0, 10_000_000)] = Field(
        0, description="Number of requests after which a connection is closed; 0: no limit."
    )


class ProxyProtocol(Part):
    """PROXY protocol v1 and v2 accepted from load balancers in front. `true`: from `trusted_proxies`."""

    short_forms: ClassVar[Forms] = (
        {"const": True},
        {"type": "array"},
    )

    from_: Networks = Field(
        (), alias="from", description=("Trusted senders of the header; trusted_proxies by default.")
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if value is True:
            return {}
        return {"from": value} if isinstance(value, list) else value


class RedirectToHttps(Part):
    """Every request gets a redirect to https. `true` is all defaults."""

    short_forms: ClassVar[Forms] = ({"const": True},)

    status: Annotated[int, whole(301, 308)] = Field(308, description="301, 302, 307 or 308.")
    port: Annotated[int, whole(1, 65535)] = Field(
        443, description="Port of the https listener from the clients' point of view."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {} if value is True else value


class Hsts(Part):
    """Strict-Transport-Security (RFC 6797) in responses over TLS. `true` is all defaults."""

    short_forms: ClassVar[Forms] = ({"const": True},)

    max_age: Annotated[float, duration("0s", "3650d")] = Field(
        31_536_000.0, description="Time for which browsers use https only."
    )
    include_subdomains: Flag = Field(False, description="Apply to subdomains too.")
    preload: Flag = Field(False, description="Allow browsers to include the host in their preload list.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {} if value is True else value


class TraceContext(Part):
    """A W3C trace context (`traceparent`) made for requests that bring none, or none that counts."""

    sampled: Flag = Field(
        description=(
            "The flag of the traces that begin here: true has applications with a parent-based sampler record them "
            "all, false none of them."
        )
    )


class Listener(Part):
    """A bound socket with a protocol."""

    name: Name = Field(
        "",
        description="Name in routes, logs and metrics; listener-N by default, N is its position, counted from 1.",
    )
    bind: Annotated[tuple[ListenRange, ...], LISTED, EACH_PORT] = Field(
        min_length=1, description="The addresses to listen on; `host:first-last` is a range of ports."
    )
    protocol: Annotated[str, among(PROTOCOLS)] = Field("http", description=f"{', '.join(PROTOCOLS)}.")
    tls: ListenerTls | None = Field(None, description="TLS termination.")
    proxy_protocol: Annotated[ProxyProtocol | None, OFF] = Field(
        None, description="Senders of a PROXY protocol header."
    )
    trusted_proxies: Networks | None = Field(
        None, description="Trusted proxies of this listener; the node's by default."
    )
    forwarded: Flag = Field(False, description="Send Forwarded (RFC 7239) to members too.")
    real_ip: Flag = Field(False, description="Send the client's address in X-Real-IP too.")
    trace_context: Annotated[TraceContext | None, OFF] = Field(
        None,
        description=(
            "Begin a trace (traceparent, W3C Trace Context) for requests without a valid one of a trusted client."
        ),
    )
    timeouts: ListenerTimeouts = Field(
        ListenerTimeouts.defaults(), description="Timeouts towards the client."
    )
    limits: ListenerLimits = Field(ListenerLimits.defaults(), description="Limits towards clients.")
    backlog: Annotated[int, whole(1, 65535)] = Field(
        4096, description="Maximum number of connections that the kernel queues before they are accepted."
    )
    redirect_to_https: Annotated[RedirectToHttps | None, OFF] = Field(
        None, description="Redirect all requests to https."
    )
    hsts: Annotated[Hsts | None, OFF] = Field(None, description="Strict-Transport-Security.")
    pool: Name | None = Field(None, description="Pool of a tcp or udp listener.")
    sni: Mapping[ServerName, Name] = Field(
        {},
        description=(
            "Pools by the server name of a TLS ClientHello, for a tcp listener; `*.` in front stands for one or more "
            "labels. `pool` gets the others."
        ),
    )
    smtp: Smtp | None = Field(None, description="Mail routing of a listener with protocol: smtp.")
    sessions: ListenerSessions | None = Field(None, description="Settings for the sessions of this listener.")
    datapath: Datapath = Field(
        Datapath.defaults(), description="Forwarding of a tcp or udp listener: by the workers or the kernel."
    )

    tcp: Tcp = Field(Tcp.defaults(), description="Options of a tcp listener.")
    udp: Udp = Field(Udp.defaults(), description="Options of a udp listener.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        yield from of_listener(written)
        yield from _needs_pool(written)
        yield from smtp_contradictions(written)
        yield from of_kernel(written)
        yield from tcp_contradictions(written)
        if written.get("tls") and written.get("redirect_to_https"):
            yield ("redirect_to_https",), "is for a listener without tls; this one serves https itself"
        if written.get("hsts") and not written.get("tls"):
            yield (
                ("hsts",),
                "is for a listener with tls; browsers ignore it on plain http (RFC 6797 section 8.1)",
            )


def _needs_pool(written: Mapping[str, Any]) -> Iterable[Finding]:
    """Yield a finding if the listener's protocol needs a pool and has none."""
    protocol = written.get("protocol", "http")
    if protocol in NEEDS_POOL and not ("pool" in written or written.get("sni") or _alpn(written)):
        sni = ", or sni: {SERVER_NAME: POOL}" if protocol == "tcp" else ""
        yield (), f"a listener with protocol: {protocol} needs pool: NAME{sni}"


def _alpn(written: Mapping[str, Any]) -> Any:
    options = written.get("tcp")
    return options.get("alpn") if isinstance(options, dict) else None
