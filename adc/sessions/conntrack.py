"""Messages of the kernel's connection tracking (linux/netfilter/nfnetlink_conntrack.h). No I/O."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

NEW, GET, DELETE = 0x100, 0x101, 0x102
"""Types of messages of the subsystem."""

ERROR, DONE = 2, 3
"""Types of messages of netlink itself."""

REQUEST, ACK, DUMP = 0x1, 0x4, 0x300

_ORIGINAL, _REPLY, _STATUS, _PROTOINFO, _TIMEOUT, _COUNT_ORIGINAL, _COUNT_REPLY, _ID = (
    1,
    2,
    3,
    4,
    7,
    9,
    10,
    12,
)
_TIMESTAMP = 20
_NESTED = 0x8000
_TYPE = 0x3FFF
_SEEN_REPLY = 1 << 1
_PROTOCOLS = {6: "tcp", 17: "udp"}
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_DESTINATION_PORT = struct.pack("=HH", 6, 3)
"""Length and number of the attribute with the port that a direction goes to."""

Endpoint = tuple[str, int]


class BadMessage(ValueError):
    """Bytes that are no message of connection tracking."""


@dataclass(frozen=True, slots=True)
class Tuple:
    """One direction of a flow; `raw` is the attribute as the kernel wrote it."""

    protocol: str
    source: Endpoint
    destination: Endpoint
    raw: bytes


@dataclass(frozen=True, slots=True)
class Tracked:
    """An entry. `state` is the kernel's number of a TCP state, 0 without one; `left` seconds until it expires.

    Counters are 0 unless net.netfilter.nf_conntrack_acct is on; `start` (wall-clock seconds) is 0 unless
    net.netfilter.nf_conntrack_timestamp is on.
    """

    number: int
    original: Tuple
    reply: Tuple
    replied: bool
    state: int
    left: int
    packets_in: int = 0
    bytes_in: int = 0
    packets_out: int = 0
    bytes_out: int = 0
    start: float = 0.0


def dump(family: int) -> bytes:
    """Return the request for all entries of a family (socket.AF_INET or AF_INET6)."""
    return _message(GET, REQUEST | DUMP, struct.pack("=BBH", family, 0, 0))


def about_ports(ports: Iterable[int]) -> Callable[[bytes], object]:
    """Return a test that holds for the body of each message about a flow to one of `ports`, and for few others.

    It takes a fiftieth of the time of `parse`: a router tracks a hundred thousand flows that are not ours.
    """
    attributes_of_ports = {_DESTINATION_PORT + struct.pack("!H", port) for port in ports}
    if not attributes_of_ports:
        return lambda body: False
    return re.compile(b"|".join(map(re.escape, sorted(attributes_of_ports))), re.DOTALL).search


def deletion(entry: Tracked) -> bytes:
    """Return the request to delete an entry; one with the same addresses but another number stays."""
    family = socket.AF_INET6 if ":" in entry.original.source[0] else socket.AF_INET
    number = struct.pack("!I", entry.number)
    body = struct.pack("=BBH", family, 0, 0) + _attribute(_ORIGINAL | _NESTED, entry.original.raw)
    return _message(DELETE, REQUEST | ACK, body + _attribute(_ID, number))


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each netlink message. Raises BadMessage."""
    at = 0
    while at < len(data):
        if len(data) - at < _HEADER.size:
            raise BadMessage("a header that is cut off")
        length, kind, _, _, _ = _HEADER.unpack_from(data, at)
        if not _HEADER.size <= length <= len(data) - at:
            raise BadMessage("a length outside of the message")
        yield kind, data[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def error_of(body: bytes) -> int:
    """Return the error number of a message of type ERROR; 0 is an acknowledgement. Raises BadMessage."""
    if len(body) < 4:
        raise BadMessage("an error that is cut off")
    return -int.from_bytes(body[:4], "little" if struct.pack("=H", 1)[0] else "big", signed=True)


def parse(body: bytes) -> Tracked | None:
    """Return the entry of a message of type NEW or DELETE; None unless it is of TCP or UDP. Raises BadMessage."""
    try:
        found = attributes(body[4:])
        original, reply = _tuple(found[_ORIGINAL]), _tuple(found[_REPLY])
        if original is None or reply is None:
            return None
        tcp = attributes(attributes(found.get(_PROTOINFO, b"")).get(1, b""))
        packets_in, bytes_in = _counters(found.get(_COUNT_ORIGINAL, b""))
        packets_out, bytes_out = _counters(found.get(_COUNT_REPLY, b""))
        return Tracked(
            number=_number(found[_ID]),
            original=original,
            reply=reply,
            replied=bool(_number(found[_STATUS]) & _SEEN_REPLY),
            state=_number(tcp.get(1, b"")),
            left=_number(found.get(_TIMEOUT, b"")),
            packets_in=packets_in,
            bytes_in=bytes_in,
            packets_out=packets_out,
            bytes_out=bytes_out,
            start=_number(attributes(found.get(_TIMESTAMP, b"")).get(1, b"")) / 1e9,
        )
    except (LookupError, ValueError, OSError) as error:
        raise BadMessage(f"an entry that cannot be read: {error!r}") from None


def _tuple(data: bytes) -> Tuple | None:
    parts = attributes(data)
    ip, transport = attributes(parts[1]), attributes(parts[2])
    protocol = _PROTOCOLS.get(_number(transport[1]))
    if protocol is None:
        return None
    family, first = (socket.AF_INET, 1) if 1 in ip else (socket.AF_INET6, 3)
    source = socket.inet_ntop(family, ip[first]), _number(transport[2])
    destination = socket.inet_ntop(family, ip[first + 1]), _number(transport[3])
    return Tuple(protocol, source, destination, data)


def _counters(data: bytes) -> tuple[int, int]:
    found = attributes(data)
    return _number(found.get(1, b"")), _number(found.get(2, b""))


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def attributes(data: bytes) -> dict[int, bytes]:
    """Return netlink attributes by their number; the last of several counts. Raises BadMessage."""
    found: dict[int, bytes] = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if not _ATTRIBUTE.size <= length <= len(data) - at:
            raise BadMessage("an attribute that is cut off")
        found[kind & _TYPE] = data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def _attribute(kind: int, data: bytes) -> bytes:
    padding = b"\0" * (-len(data) % 4)
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), kind) + data + padding


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body
