"""The options of a tcp listener."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from adc.config.model.base import Finding, Part
from adc.config.model.tls import AlpnName
from adc.config.model.types import Flag, Name, byte_size, duration, one_of, whole
from adc.config.units import quote


class ClientHello(Part):
    """Limits of the ClientHello that a listener with `sni` or `tcp.alpn` reads."""

    size: Annotated[int, byte_size("512B", "64KB")] = Field(
        16 << 10, description="Maximum bytes from the first one to the end of the ClientHello."
    )
    timeout: Annotated[float, duration("100ms", "5m")] = Field(
        10.0, description="Maximum time from the accepted connection to the end of the ClientHello."
    )


class Tcp(Part):
    """Options of a tcp listener."""

    connect_timeout: Annotated[float, duration("10ms", "5m")] = Field(
        5.0, description="Maximum time of one attempt to connect to a member."
    )
    attempts: Annotated[int, whole(1, 100)] = Field(
        3, description="Maximum number of members tried for a connection."
    )
    bytes: Annotated[int, byte_size("0B", "1TB")] = Field(
        0, description="Maximum bytes of a connection, both directions together; 0: no limit."
    )
    time: Annotated[float, duration("0s", "365d")] = Field(
        0.0, description="Maximum age of a connection; 0: no limit."
    )
    member_port: Annotated[str, one_of("member", "listener")] = Field(
        "member",
        description=(
            "Port to connect to: the member's, or the one of the listener that the client connected to, for a range of "
            "ports in `bind`. It is the port of the accepted connection, whatever a PROXY protocol header names."
        ),
    )
    abort_on_close: Flag = Field(
        False,
        description=(
            "End a connection whose client closes its half while it waits for a member, even if the client has sent "
            "bytes; for protocols whose clients never half-close."
        ),
    )
    alpn: Mapping[AlpnName, Name] = Field(
        {},
        description=(
            "Pools by a protocol that the ClientHello offers (ALPN). The client's first one in this list decides, "
            "before `sni`."
        ),
    )
    client_hello: ClientHello = Field(
        ClientHello.defaults(), description="Limits of the ClientHello read for `sni` and `alpn`."
    )


_TERMINATED = "routes TLS that passes through, but tls of the listener terminates it; remove one of them"


def tcp_contradictions(written: Mapping[str, Any]) -> Iterable[Finding]:
    """Yield what the keys of a tcp listener cannot mean together."""
    options = written.get("tcp")
    alpn = options.get("alpn") if isinstance(options, dict) else None
    if written.get("protocol") != "tcp":
        return
    binds = written.get("bind")
    if isinstance(options, dict) and options.get("member_port") == "listener":
        for bind in binds if isinstance(binds, list) else [binds]:
            if isinstance(bind, str) and bind.startswith("unix:"):
                yield ("tcp", "member_port"), f"{quote(bind)} has no port; write member_port: member"
    if written.get("tls") and written.get("sni"):
        yield ("sni",), _TERMINATED
    if written.get("tls") and alpn:
        yield ("tcp", "alpn"), _TERMINATED
    if isinstance(options, dict) and "client_hello" in options and not (written.get("sni") or alpn):
        yield ("tcp", "client_hello"), "has no effect without sni or tcp.alpn"
