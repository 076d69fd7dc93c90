"""Messages of nftables over netlink (linux/netfilter/nf_tables.h), as far as they are needed to read. No I/O."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

from adc.sessions.conntrack import BadMessage, attributes

SUBSYSTEM = 10 << 8
GET_CHAIN, GET_RULE, GET_SET, GET_ELEMENTS, GET_GENERATION, GET_OBJECT = 4, 7, 10, 13, 16, 19
"""Types of requests; what is listed comes with the type before."""

REQUEST, DUMP = 0x1, 0x300
INET = 1
"""The family of tables for both IP versions (NFPROTO_INET)."""

_TABLE, _SET = 1, 2
"""Attributes by which a listing of rules, sets and objects can be limited, the second one for elements."""

_NAMES = {GET_CHAIN: 3, GET_SET: 2, GET_OBJECT: 2}
_FIXED = {GET_CHAIN: (3, 4, 5, 7), GET_SET: (2, 3, 4, 5, 6, 7), GET_OBJECT: (2, 3)}
"""Attributes that say what an object is; others count its uses, packets and elements."""

_FLAGS, _TYPE, _DATA = 3, 3, 4
_ANONYMOUS, _MAP = 0x1, 0x8
_OBJECTS = {1: "counter", 4: "limit", 7: "ct timeout"}
_COUNTER, _PACKETS = 1, 2


def request(kind: int, flags: int = DUMP, table: str = "", name: str = "") -> bytes:
    """Return a request for what a table has."""
    body = struct.pack("=BBH", INET if flags else socket.AF_UNSPEC, 0, 0)
    for number, text in ((_TABLE, table), (_SET, name)):
        if text:
            data = text.encode() + b"\0"
            body += struct.pack("=HH", 4 + len(data), number) + data + b"\0" * (-len(data) % 4)
    return struct.pack("=IHHII", 16 + len(body), SUBSYSTEM | kind, REQUEST | flags, 1, 0) + body


def parts_of(bodies: Iterable[bytes], table: str) -> list[dict[int, bytes]]:
    """Return the attributes of each listed part of a table; listings may have those of others. Raises BadMessage."""
    name = table.encode() + b"\0"
    return [found for body in bodies if (found := attributes(body[4:])).get(_TABLE) == name]


def named(kind: int, part: dict[int, bytes]) -> tuple[str, str]:
    """Return kind and name of a chain, set or object, as nft calls it; the kind is "" for others. Raises BadMessage."""
    name = part.get(_NAMES[kind], b"").rstrip(b"\0").decode(errors="replace")
    number = int.from_bytes(part.get(_TYPE, b"") if kind == GET_OBJECT else part.get(_FLAGS, b""), "big")
    if kind == GET_CHAIN:
        return "chain", name
    if kind == GET_OBJECT:
        return _OBJECTS.get(number, ""), name
    if number & _ANONYMOUS:
        return "", name
    return ("map" if number & _MAP else "set"), name


def fixed(kind: int, part: dict[int, bytes]) -> bytes:
    """Return the bytes of a part that only a change of the rules changes."""
    return b"".join(part.get(number, b"") + b"\xff" for number in _FIXED[kind])


def counter_of(part: dict[int, bytes]) -> tuple[str, int] | None:
    """Return the name and the packets of a counter; None for other objects. Raises BadMessage."""
    if int.from_bytes(part.get(_TYPE, b""), "big") != _COUNTER:
        return None
    return named(GET_OBJECT, part)[1], int.from_bytes(
        attributes(part.get(_DATA, b"")).get(_PACKETS, b""), "big"
    )


def generation_of(bodies: Iterable[bytes]) -> int:
    """Return the number of the ruleset in a reply. Raises BadMessage."""
    for body in bodies:
        number = attributes(body[4:]).get(1, b"")
        if len(number) == 4:
            return int.from_bytes(number, "big")
    raise BadMessage("no generation of nftables")
