"""Probes are valid packets, and one of both is outside of any window."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.cli.lab.packets import decode
from adc.sessions.probe import probes

V4 = ("192.0.2.1", 443), ("198.51.100.2", 50000)
V6 = ("2001:db8::1", 443), ("2001:db8::2", 50000)


def folded(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize(("ends", "kind", "head"), [(V4, b"\x08\x00", 20), (V6, b"\x86\xdd", 40)])
def test_probe_acknowledges_without_data_and_with_right_checksums(ends, kind, head):
    for packet in probes(*ends, 7):
        seen = decode(bytes(12) + kind + packet, "front", False, 0.0)
        assert (seen.source, seen.destination) == ends
        assert (seen.flags, seen.length) == ("A", 0)
        addresses = packet[head - 8 : head] if head == 20 else packet[8:40]
        assert folded(addresses + struct.pack("!II", len(packet) - head, 6) + packet[head:]) == 0xFFFF
    if head == 20:
        assert folded(packet[:20]) == 0xFFFF


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_no_window_holds_both_probes(number, expected):
    offsets = [(struct.unpack_from("!I", packet, 24)[0] - expected) % 2**32 for packet in probes(*V4, number)]
    assert max(offsets) >= 1 << 30  # the largest window (RFC 7323)
