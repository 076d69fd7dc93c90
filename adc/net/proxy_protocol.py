"""The PROXY protocol, versions 1 and 2: what a load balancer says of a connection before its first byte. No I/O.

As HAProxy's proxy-protocol.txt defines it. TLVs of version 2 are passed over, a checksum among them unverified.
"""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_address

from adc.http.networks import plain_address

Endpoint = tuple[str, int]
"""Address and port."""

Endpoints = tuple[Endpoint, Endpoint]
"""Source and destination of a connection."""

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
MAX_V1 = 107
MAX_V2 = 4096
"""Bytes of a version 2 header with its TLVs that are taken; the addresses need 52 at most."""

_FIXED = 16
_V1 = b"PROXY "
_IPV4 = struct.Struct("!4s4sHH")
_IPV6 = struct.Struct("!16s16sHH")
_AF = {4: socket.AF_INET, 6: socket.AF_INET6}
_FAMILIES = {1: (_IPV4, socket.AF_INET), 2: (_IPV6, socket.AF_INET6)}
_LOCAL, _PROXY = 0x20, 0x21
_UNSPEC, _STREAM = 0, 1


class BadHeader(ValueError):
    """Bytes that do not begin with a valid PROXY protocol header, or with one that is too long."""


class HeaderReader:
    """Takes a header out of a stream without taking a byte of what follows.

    `feed(data)` says how many of the bytes in sight belong to the header; those, and no more, are to be read from
    the stream, and what follows them is shown again next time. `done` once the header is complete; `ends` then holds
    what it says, None if it speaks of no client (LOCAL, UNKNOWN, a unix socket): the connection is the sender's own.
    """

    def __init__(self) -> None:
        self._header = b""
        self.done = False
        self.ends: Endpoints | None = None

    def feed(self, data: bytes) -> int:
        """Take what there is. Raises BadHeader as soon as it is clear that this will be no valid header."""
        seen = self._header + data
        length = header_length(seen)
        if length is not None and len(seen) >= length:
            self.done = True
            self.ends = parse(seen[:length])
            return length - len(self._header)
        wanted = len(data) if length is None else min(len(data), length - len(self._header))
        if length is None and seen.startswith(SIGNATURE[: len(seen)]):
            wanted = min(wanted, _FIXED - len(self._header))
        self._header += data[:wanted]
        return wanted


def header_length(data: bytes) -> int | None:
    """Return the length of the header that `data` begins with, None if `data` is too short. Raises BadHeader."""
    if data.startswith(SIGNATURE[: len(data)]):
        if len(data) < _FIXED:
            return None
        length = _FIXED + int.from_bytes(data[14:16], "big")
        if length > MAX_V2:
            raise BadHeader(f"a version 2 header of {length} bytes")
        return length
    if not data.startswith(_V1[: len(data)]):
        raise BadHeader("no PROXY protocol header")
    end = data.find(b"\r\n", 0, MAX_V1)
    if end >= 0:
        return end + 2
    if len(data) >= MAX_V1:
        raise BadHeader(f"a version 1 header over {MAX_V1} bytes")
    return None


def parse(header: bytes) -> Endpoints | None:
    """Return the ends in one whole header, None if it has none. Raises BadHeader."""
    return _parse_v2(header) if header.startswith(SIGNATURE) else _parse_v1(header)


def _parse_v1(header: bytes) -> Endpoints | None:
    try:
        words = header[:-2].decode("ascii").split(" ")
    except UnicodeDecodeError:
        raise BadHeader("a version 1 header that is not ASCII") from None
    if words[:2] == ["PROXY", "UNKNOWN"]:
        return None
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6"):
        raise BadHeader("a version 1 header has a family, two addresses and two ports")
    version = int(words[1][3])
    source, target = (_address(word, version) for word in words[2:4])
    return (source, _port(words[4])), (target, _port(words[5]))


def _address(word: str, version: int) -> str:
    try:
        address = ip_address(word)
    except ValueError:
        raise BadHeader(f"no address: {word[:50]!r}") from None
    if address.version != version or "%" in word:
        raise BadHeader(f"no IPv{version} address: {word[:50]!r}")
    return plain_address(socket.inet_ntop(_AF[version], address.packed))  # as the kernel writes it


def _port(word: str) -> int:
    if not word.isdecimal() or len(word) > 5 or int(word) > 0xFFFF or (word[0] == "0" and word != "0"):
        raise BadHeader(f"no port: {word[:20]!r}")
    return int(word)


def _parse_v2(header: bytes) -> Endpoints | None:
    command, kind = header[12], header[13]
    if command == _LOCAL:
        return None
    if command != _PROXY:
        raise BadHeader(f"version and command {command:#04x}")
    family, transport = kind >> 4, kind & 0x0F
    if transport > 2 or family > 3:
        raise BadHeader(f"family and transport {kind:#04x}")
    if transport != _STREAM or family not in _FAMILIES:
        return None
    layout, af = _FAMILIES[family]
    if len(header) < _FIXED + layout.size:
        raise BadHeader("a version 2 header too short for its addresses")
    source, target, source_port, target_port = layout.unpack_from(header, _FIXED)
    addresses = [plain_address(socket.inet_ntop(af, address)) for address in (source, target)]
    return (addresses[0], source_port), (addresses[1], target_port)


def compose(version: str, ends: Endpoints | None) -> bytes:
    """Return the header to send ("v1" or "v2") for a connection between `ends`, None if they are not known.

    A header has no room for the zone of a link-local address.
    """
    if ends is not None:
        (source, source_port), (target, target_port) = ends
        ends = (source.partition("%")[0], source_port), (target.partition("%")[0], target_port)
    return _compose_v1(ends) if version == "v1" else _compose_v2(ends)


def _family(ends: Endpoints) -> int:
    """4 if both addresses are IPv4, else 6."""
    return max(ip_address(address).version for address, _ in ends)


def _as(family: int, address: str) -> str:
    """Return `address` in the family of both ends (IPv4 mapped into IPv6 if necessary)."""
    return f"::ffff:{address}" if ip_address(address).version < family else address


def _compose_v1(ends: Endpoints | None) -> bytes:
    if ends is None:
        return b"PROXY UNKNOWN\r\n"
    family = _family(ends)
    (source, source_port), (target, target_port) = ends
    addresses = f"{_as(family, source)} {_as(family, target)}"
    return f"PROXY TCP{family} {addresses} {source_port} {target_port}\r\n".encode("ascii")


def _compose_v2(ends: Endpoints | None) -> bytes:
    if ends is None:
        return SIGNATURE + bytes((_LOCAL, _UNSPEC, 0, 0))
    family = _family(ends)
    layout, af = _FAMILIES[1 if family == 4 else 2]
    (source, source_port), (target, target_port) = ends
    packed = [socket.inet_pton(af, _as(family, address)) for address in (source, target)]
    kind = (0x10 if family == 4 else 0x20) | _STREAM
    return (
        SIGNATURE
        + struct.pack("!BBH", _PROXY, kind, layout.size)
        + layout.pack(*packed, source_port, target_port)
    )
