"""A listener: a bound socket with a protocol, its limits and time limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from adc.config.model.address import ListenAddress
from adc.config.model.base import Finding, Forms, Part
from adc.config.model.protocols import PROTOCOLS
from adc.config.model.tls import ListenerTls
from adc.config.model.types import LISTED, OFF, Flag, Name, Networks, among, byte_size, duration, whole


class ListenerTimeouts(Part):
    """Time limits towards the client; 0 means no limit."""

    request_head: Annotated[float, duration("0s", "10m")] = Field(
        10.0, description="First byte of a request to the end of its head."
    )
    request_body: Annotated[float, duration("0s", "1h")] = Field(
        30.0, description="No byte of a request body that is due."
    )
    keep_alive: Annotated[float, duration("0s", "1h")] = Field(75.0, description="Idle between two requests.")
    half_closed: Annotated[float, duration("0s", "1h")] = Field(
        5.0, description="Client closed its half of the connection, to the first byte of its response."
    )
    write: Annotated[float, duration("0s", "1h")] = Field(
        60.0, description="The client takes no byte of an answer."
    )
    tls_handshake: Annotated[float, duration("1s", "5m")] = Field(
        10.0, description="Connection made to handshake done."
    )


class ListenerLimits(Part):
    """Limits towards clients."""

    connections: Annotated[int, whole(1, 1_000_000)] = Field(
        20_000, description="Open connections of the listener in all."
    )
    connections_per_source: Annotated[int, whole(0, 1_000_000)] = Field(
        0, description="Open connections of one client; 0: no limit."
    )
    header_bytes: Annotated[int, byte_size("1KB", "1MB")] = Field(
        32_768, description="Request head in all, and trailers in all; more gets 431."
    )
    headers: Annotated[int, whole(1, 10_000)] = Field(
        100, description="Number of request fields, and of trailer fields; more gets 431."
    )
    target: Annotated[int, byte_size("256B", "64KB")] = Field(
        8192, description="Request target; longer gets 414."
    )
    body: Annotated[int, byte_size("0B", "1TB")] = Field(16 << 30, description="Request body; more gets 413.")
    body_rate: Annotated[int, byte_size("0B", "1GB")] = Field(
        500, description="Bytes a second that a request body must bring on the whole; 0: any."
    )
    requests_per_connection: Annotated[int, whole(0, 10_000_000)] = Field(
        0, description="Requests after which a connection is closed; 0: no limit."
    )


class ProxyProtocol(Part):
    """PROXY protocol v1 and v2 accepted from load balancers in front. `true`: from `trusted_proxies`."""

    short_forms: ClassVar[Forms] = (
        {"const": True},
        {"type": "array"},
    )

    from_: Networks = Field((), alias="from", description="Senders believed; none named: trusted_proxies.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if value is True:
            return {}
        return {"from": value} if isinstance(value, list) else value


class RedirectToHttps(Part):
    """Every request is answered with a redirect to https. `true` is all defaults."""

    short_forms: ClassVar[Forms] = ({"const": True},)

    status: Annotated[int, whole(301, 308)] = Field(308, description="301, 302, 307 or 308.")
    port: Annotated[int, whole(1, 65535)] = Field(
        443, description="Port of the https listener as clients see it."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {} if value is True else value


class Hsts(Part):
    """Strict-Transport-Security (RFC 6797) on answers over TLS. `true` is all defaults."""

    short_forms: ClassVar[Forms] = ({"const": True},)

    max_age: Annotated[float, duration("0s", "3650d")] = Field(
        31_536_000.0, description="The time for which browsers use https only."
    )
    include_subdomains: Flag = Field(False, description="Include the subdomains.")
    preload: Flag = Field(False, description="Allow browsers to ship the name in their list.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {} if value is True else value


class Listener(Part):
    """A bound socket with a protocol."""

    name: Name = Field(
        "", description="Name in routes, logs and metrics; listener-N by default, N its place from 1."
    )
    bind: Annotated[tuple[ListenAddress, ...], LISTED] = Field(
        min_length=1, description="The addresses to listen on."
    )
    protocol: Annotated[str, among(PROTOCOLS)] = Field("http", description=f"{', '.join(PROTOCOLS)}.")
    tls: ListenerTls | None = Field(None, description="TLS termination.")
    proxy_protocol: Annotated[ProxyProtocol | None, OFF] = Field(
        None, description="PROXY protocol from whom."
    )
    trusted_proxies: Networks | None = Field(
        None, description="Instead of the node's own list; none written: that one."
    )
    forwarded: Flag = Field(False, description="Also send Forwarded (RFC 7239) to members.")
    real_ip: Flag = Field(False, description="Also send the client's address in X-Real-IP.")
    timeouts: ListenerTimeouts = Field(ListenerTimeouts(), description="Time limits towards the client.")
    limits: ListenerLimits = Field(ListenerLimits(), description="Limits towards clients.")
    backlog: Annotated[int, whole(1, 65535)] = Field(
        4096, description="Connections the kernel may hold unaccepted."
    )
    redirect_to_https: Annotated[RedirectToHttps | None, OFF] = Field(
        None, description="Redirect everything to https."
    )
    hsts: Annotated[Hsts | None, OFF] = Field(None, description="Strict-Transport-Security.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if written.get("tls") and written.get("redirect_to_https"):
            yield ("redirect_to_https",), "is for a listener without tls; this one serves https itself"
        if written.get("hsts") and not written.get("tls"):
            yield (
                ("hsts",),
                "is for a listener with tls; browsers ignore it on plain http (RFC 6797 section 8.1)",
            )
