"""A packet as a person writes it: `tcp 192.0.2.5:4000 -> 127.0.0.1:15432 new on eth0 at 2026-11-29T12:00`. No I/O."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from adc.firewall.packet import Address, Packet
from adc.http.networks import parse_address

SYNTAX = "PROTOCOL SOURCE[:PORT] -> DESTINATION[:PORT] [STATE] [on INTERFACE] [to LISTENER] [at TIME]"

PROTOCOLS = ("tcp", "udp", "icmp")
STATES = ("new", "established", "related", "invalid")

_PACKET = re.compile(
    r"(?P<protocol>\w+) (?P<source>\S+) ?-> ?(?P<destination>\S+)(?: (?P<state>(?!(?:on|to|at) )\w+))?"
    r"(?: on (?P<interface>\S{1,64}))?(?: to (?P<listener>\S{1,128}))?(?: at (?P<time>\S{1,64}))?"
)
_ENDPOINT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[^:]+))(?::(?P<port>[0-9]{1,5}))?")
_LONGEST = 500
_LATEST = 1 << 35


class BadPacket(ValueError):
    """The text is no packet; the message says what is allowed."""


class Asked(NamedTuple):
    """A packet and its time in Unix seconds, None for now."""

    packet: Packet
    wall: float | None


def parse_packet(text: str) -> Asked:
    """Return the packet that `text` describes; a time without an offset is in UTC. Raises BadPacket."""
    found = _PACKET.fullmatch(" ".join(text[:_LONGEST].split()))
    if found is None:
        raise BadPacket(f"{text[:100]!r} is not a packet; write {SYNTAX}")
    protocol, state = found["protocol"].lower(), found["state"] or "new"
    if protocol not in PROTOCOLS:
        raise BadPacket(f"unknown protocol {protocol!r}; use {', '.join(PROTOCOLS)}")
    if state not in STATES:
        raise BadPacket(f"unknown state {state!r}; use {', '.join(STATES)}")
    source, source_port = _endpoint(found["source"])
    destination, port = _endpoint(found["destination"])
    if source.version != destination.version:
        raise BadPacket("source and destination are of different IP versions")
    packet = Packet(
        protocol,
        source,
        source_port,
        destination,
        port,
        state,
        found["interface"] or "",
        found["listener"] or "",
    )
    return Asked(packet, _wall(found["time"]))


def _endpoint(text: str) -> tuple[Address, int]:
    whole = parse_address(text)
    if whole is not None:
        return whole, 0
    found = _ENDPOINT.fullmatch(text)
    address = None if found is None else parse_address(found["v6"] or found["v4"])
    if found is None or address is None or int(found["port"] or 0) > 65535:
        raise BadPacket(
            f"{text[:80]!r} is not an address and a port; write 192.0.2.5:4000 or [2001:db8::5]:4000"
        )
    return address, int(found["port"] or 0)


def _wall(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        seconds = (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds < _LATEST:
        raise BadPacket(f"{text!r} is not a time; write 2026-11-29T12:00 or 2026-11-29T12:00+09:00")
    return seconds
