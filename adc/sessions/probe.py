"""Segments that have an end of a TCP connection tell where it is, without knowing its numbers. No I/O."""

from __future__ import annotations

import socket
import struct

from adc.sessions.conntrack import Endpoint

_HALF = 1 << 31
_MODULUS = 1 << 32
_TCP = 6
_HOPS = 64
_ACK = 0x10
_TIMESTAMP = b"\1\1\x08\x0a" + bytes(8)
"""A timestamp of 0: a connection without the option ignores it, one with it drops segments without it (RFC 7323)."""


def probes(source: Endpoint, destination: Endpoint, number: int) -> tuple[bytes, bytes]:
    """Return two packets from `source` to `destination`; `number` is any 32 bits.

    An end acknowledges a segment outside of its window with its own numbers (RFC 9293 section 3.10.7.4). No window is
    half of all numbers, so one of both segments is outside. An end that knows no such connection sends RST.
    """
    return _packet(source, destination, number), _packet(source, destination, (number + _HALF) % _MODULUS)


def _packet(source: Endpoint, destination: Endpoint, number: int) -> bytes:
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    ends = socket.inet_pton(family, source[0]) + socket.inet_pton(family, destination[0])
    head = struct.pack("!HHIIBBHHH", source[1], destination[1], number, number, 0x80, _ACK, 0, 0, 0)
    segment = head + _TIMESTAMP
    sum_of = _checksum(ends + struct.pack("!II", len(segment), _TCP) + segment)
    segment = segment[:16] + struct.pack("!H", sum_of) + segment[18:]
    if family == socket.AF_INET6:
        return struct.pack("!IHBB", 6 << 28, len(segment), _TCP, _HOPS) + ends + segment
    first = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, _HOPS, _TCP, 0)
    return first[:10] + struct.pack("!H", _checksum(first + ends)) + ends + segment


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
