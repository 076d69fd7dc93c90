"""Frames of a capture become small records."""

from struct import pack

import pytest

from adc.cli.lab.packets import decode

ETHERNET = bytes(12)
CLIENT, SERVER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])


def ipv4(protocol, content, options=b"", fragment=0, padding=b""):
    total = 20 + len(options) + len(content)
    first = 0x40 | (5 + len(options) // 4)
    head = pack("!BBHHHBBH", first, 0, total, 1, fragment, 64, protocol, 0) + CLIENT + SERVER + options
    return ETHERNET + b"\x08\x00" + head + content + padding


def ipv6(protocol, content):
    addresses = bytes(15) + b"\x01" + bytes(15) + b"\x02"
    return ETHERNET + b"\x86\xdd" + pack("!IHBB", 6 << 28, len(content), protocol, 64) + addresses + content


def tcp(bits, data=b"", options=b""):
    return pack("!HHIIBBHHH", 4000, 5432, 7, 9, (5 + len(options) // 4) << 4, bits, 1, 0, 0) + options + data


def udp(data):
    return pack("!HHHH", 4000, 53, 8 + len(data), 0) + data


def packet(frame):
    return decode(frame, "front", True, 1.5)


def test_tcp_has_flags_numbers_and_content():
    seen = packet(ipv4(6, tcp(0x14, b"abc", bytes(4)), options=bytes(8)))
    assert (seen.source, seen.destination) == (("10.0.0.1", 4000), ("10.0.0.2", 5432))
    assert (seen.protocol, seen.flags, seen.seq, seen.ack, seen.data) == ("tcp", "RA", 7, 9, b"abc")
    assert seen.has("R")
    assert seen.has("AR")
    assert not seen.has("S")


def test_padding_of_short_frames_is_no_content():
    assert packet(ipv4(6, tcp(0x10), padding=bytes(6))).length == 0


def test_udp_over_ipv6():
    seen = packet(ipv6(17, udp(b"query")))
    assert (seen.source, seen.destination) == (("::1", 4000), ("::2", 53))
    assert (seen.protocol, seen.data, seen.length) == ("udp", b"query", 5)
    assert not seen.has("")


def test_icmp_has_type_and_code():
    seen = packet(ipv4(1, pack("!BBHI", 3, 3, 0, 0) + b"head"))
    assert (seen.protocol, seen.flags, seen.data) == ("icmp", "3/3", b"head")


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(ipv4(17, udp(b"x"), fragment=5), id="later fragment"),
        pytest.param(ipv4(89, bytes(40)), id="OSPF"),
        pytest.param(ETHERNET + b"\x08\x06" + bytes(28), id="ARP"),
        pytest.param(ipv6(58, bytes([135, 0]) + bytes(22)), id="neighbour solicitation"),
        pytest.param(ipv6(58, bytes([143, 0]) + bytes(22)), id="multicast report"),
    ],
)
def test_noise_is_left_out(frame):
    assert packet(frame) is None


@pytest.mark.parametrize("whole", [ipv4(6, tcp(2, options=bytes(8))), ipv4(17, udp(b"ab")), ipv6(6, tcp(2))])
def test_short_frames_never_raise(whole):
    shortened = [packet(whole[:size]) for size in range(len(whole))]
    assert shortened[0] is None
    assert packet(whole).protocol in ("tcp", "udp")


def test_text_says_direction_and_numbers():
    text = str(packet(ipv4(6, tcp(0x12))))
    assert text == "front -> tcp 10.0.0.1:4000 > 10.0.0.2:5432 SA seq=7 ack=9 0 bytes"
