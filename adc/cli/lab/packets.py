"""Decodes captured frames: Ethernet, IPv4 and IPv6, TCP, UDP and ICMP."""

from __future__ import annotations

from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop
from struct import error, unpack_from

_FLAGS = "FSRPAUEC"
_PROTOCOLS = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}
_NEIGHBOURS = range(130, 138)
_REPORT = 143


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of a capture. `flags` are letters of FSRPAUEC for TCP, and "TYPE/CODE" for ICMP."""

    time: float
    """Seconds since 1970, by the kernel."""
    interface: str
    outgoing: bool
    """True if the namespace sent it."""
    protocol: str
    source: tuple[str, int]
    destination: tuple[str, int]
    flags: str
    seq: int
    ack: int
    data: bytes
    """The content above TCP, UDP or ICMP."""

    @property
    def length(self) -> int:
        """Return the bytes of the content."""
        return len(self.data)

    def has(self, flags: str) -> bool:
        """Return True if all these flags of TCP are set."""
        return self.protocol == "tcp" and set(flags) <= set(self.flags)

    def __str__(self) -> str:
        way = "->" if self.outgoing else "<-"
        numbers = (
            f" {self.flags} seq={self.seq} ack={self.ack}" if self.protocol == "tcp" else f" {self.flags}"
        )
        source, destination = (f"{host}:{port}" for host, port in (self.source, self.destination))
        return f"{self.interface} {way} {self.protocol} {source} > {destination}{numbers.rstrip()} {self.length} bytes"


def decode(frame: bytes, interface: str, outgoing: bool, time: float) -> Packet | None:
    """Return the packet in an Ethernet frame; None if it is no TCP, UDP or ICMP, or a later fragment."""
    try:
        kind = unpack_from("!H", frame, 12)[0]
        if kind == 0x0800:
            return _of_ipv4(frame[14:], interface, outgoing, time)
        if kind == 0x86DD:
            return _of_ipv6(frame[14:], interface, outgoing, time)
    except error:
        pass
    return None


def _of_ipv4(packet: bytes, interface: str, outgoing: bool, time: float) -> Packet | None:
    first, _, total, _, fragment, _, number, _ = unpack_from("!BBHHHBBH", packet)
    if fragment & 0x1FFF or len(packet) < 20:
        return None
    source, destination = inet_ntop(AF_INET, packet[12:16]), inet_ntop(AF_INET, packet[16:20])
    content = packet[(first & 15) * 4 : total or len(packet)]
    return _transport(number, content, source, destination, interface, outgoing, time)


def _of_ipv6(packet: bytes, interface: str, outgoing: bool, time: float) -> Packet | None:
    _, length, number = unpack_from("!IHB", packet)
    content = packet[40 : 40 + length if length else len(packet)]
    if len(packet) < 40:
        return None
    source, destination = inet_ntop(AF_INET6, packet[8:24]), inet_ntop(AF_INET6, packet[24:40])
    if number == 58 and content and (content[0] in _NEIGHBOURS or content[0] == _REPORT):
        return None
    return _transport(number, content, source, destination, interface, outgoing, time)


def _transport(
    number: int, content: bytes, source: str, destination: str, interface: str, outgoing: bool, time: float
) -> Packet | None:
    protocol = _PROTOCOLS.get(number)
    if protocol is None:
        return None
    near = far = seq = ack = 0
    if protocol == "icmp":
        flags, start = "{}/{}".format(*unpack_from("!BB", content)), 8
    elif protocol == "udp":
        near, far = unpack_from("!HH", content)
        flags, start = "", 8
    else:
        near, far, seq, ack, offset, bits = unpack_from("!HHIIBB", content)
        flags, start = (
            "".join(flag for place, flag in enumerate(_FLAGS) if bits >> place & 1),
            (offset >> 4) * 4,
        )
    ends = (source, near), (destination, far)
    return Packet(time, interface, outgoing, protocol, *ends, flags, seq, ack, bytes(content[start:]))
