"""Packets as a person writes them."""

from __future__ import annotations

import pytest

from adc.firewall.packet_text import BadPacket, parse_packet


def test_packet_with_everything() -> None:
    packet, wall = parse_packet(
        "tcp 192.0.2.5:4000 -> 127.0.0.1:15432 invalid on eth0 to db at 2026-11-29T12:00"
    )
    assert packet[:1] + tuple(map(str, packet[1:])) == (
        "tcp",
        "192.0.2.5",
        "4000",
        "127.0.0.1",
        "15432",
        "invalid",
        "eth0",
        "db",
    )
    assert wall == 1795953600.0


@pytest.mark.parametrize(
    ("text", "source", "port"),
    [
        ("udp [2001:db8::5]:53->[::1]:53", "2001:db8::5", 53),
        ("icmp 192.0.2.5 -> 127.0.0.1", "192.0.2.5", 0),
        ("TCP  ::ffff:192.0.2.5 ->  127.0.0.1:80 on lo", "192.0.2.5", 0),
        ("tcp [fe80::1%eth0]:9 -> [fe80::2]:80 at 2026-11-29T12:00+09:00", "fe80::1", 9),
    ],
)
def test_shorter_forms(text: str, source: str, port: int) -> None:
    packet, _ = parse_packet(text)
    assert (str(packet.source), packet.source_port, packet.state) == (source, port, "new")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a packet"),
        ("tcp 1.2.3.4", "is not a packet"),
        ("sctp 1.2.3.4 -> 1.2.3.4", "unknown protocol"),
        ("tcp 1.2.3.4 -> 1.2.3.4 old", "unknown state"),
        ("tcp 1.2.3.400:1 -> 1.2.3.4", "is not an address"),
        ("tcp 1.2.3.4:70000 -> 1.2.3.4", "is not an address"),
        ("tcp 1.2.3.4 -> ::1", "different IP versions"),
        ("tcp 1.2.3.4 -> 1.2.3.4 at noon", "is not a time"),
        ("tcp 1.2.3.4 -> 1.2.3.4 at 0001-01-01T00:00+23:00", "is not a time"),
    ],
)
def test_malformed_packets_are_refused(text: str, message: str) -> None:
    with pytest.raises(BadPacket, match=message):
        parse_packet(text)
