"""What only a UDP listener has: replies per datagram, limits, source addresses, QUIC."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from adc.config.model.address import MemberAddress
from adc.config.model.base import Finding, Part
from adc.config.model.types import LISTED, Value, one_of, text_of, whole
from adc.config.units import quote

CONNECTION_IDS = ("learned", "server_id")

MOST_BYTES = 20
"""Longest connection id of QUIC version 1 (RFC 9000 section 17.2)."""


def _source(value: Any) -> str:
    try:
        found = ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.is_unspecified or found.is_multicast:
        raise ValueError(f"{quote(value)} is not an address of this machine; write it as 192.0.2.1")
    return str(found)


SourceAddress = Annotated[str, Value(_source, {"type": "string", "description": "An IP address."})]
ServerId = Annotated[
    str, text_of(r"(?:[0-9a-f]{2}){1,19}", "bytes as lower-case hexadecimal digits, such as 0a01")
]


class Quic(Part):
    """Routing by QUIC connection ids, so that a client whose address changes stays with its member."""

    connection_ids: Annotated[str, one_of(*CONNECTION_IDS)] = Field(
        "learned",
        description=(
            "learned: ids that members choose during handshakes are remembered. server_id: every id of a member holds "
            "the member's bytes of server_ids, so that ids from encrypted frames are routed too."
        ),
    )
    server_ids: Mapping[ServerId, MemberAddress] = Field(
        {}, description="Members by the bytes in their connection ids, all of one length."
    )
    offset: Annotated[int, whole(0, MOST_BYTES - 1)] = Field(
        1, description="Position of these bytes in a connection id; QUIC-LB has one byte before them."
    )

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        by_id = written.get("connection_ids") == "server_id"
        ids = written.get("server_ids")
        if by_id and not ids:
            yield ("server_ids",), "is needed with connection_ids: server_id"
        for key in {"server_ids", "offset"} & written.keys() if not by_id else ():
            yield (key,), "has no effect without connection_ids: server_id"
        if not isinstance(ids, dict) or not all(isinstance(key, str) for key in ids):
            return
        if len({len(key) for key in ids}) > 1:
            yield ("server_ids",), "has keys of different lengths; all must have the same"
        offset = written.get("offset", 1)
        if isinstance(offset, int) and any(offset + len(key) // 2 > MOST_BYTES for key in ids):
            yield ("offset",), f"leaves no room: a connection id has at most {MOST_BYTES} bytes"


class Udp(Part):
    """Options of a UDP listener."""

    responses: Annotated[int, whole(0, 1_000_000)] | None = Field(
        None,
        description=(
            "Number of datagrams with which members reply to one of a client. A session ends when all have arrived; 0: "
            "at once. By default it ends when it is idle."
        ),
    )
    requests: Annotated[int, whole(1, 1_000_000_000)] | None = Field(
        None, description="Number of datagrams of a client after which the next one opens a new session."
    )
    datagrams_per_source: Annotated[int, whole(0, 10_000_000)] = Field(
        0,
        description=(
            "Maximum rate of datagrams of one client address (IPv6: /64) per second, over all workers; others are "
            "dropped and counted. 0: no limit."
        ),
    )
    source_addresses: Annotated[tuple[SourceAddress, ...], LISTED] = Field(
        (),
        description=(
            "Addresses to send to members from, used in turn. Each has about 28,000 ports, one for each session."
        ),
    )
    quic: Quic | None = Field(None, description="Routing by QUIC connection ids.")
