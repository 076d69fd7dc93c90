import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.net.proxy_protocol import MAX_V1, MAX_V2, SIGNATURE, BadHeader, HeaderReader, compose, parse

V4 = (("192.0.2.1", 56324), ("198.51.100.7", 443))
V6 = (("2001:db8::1", 1), ("2001:db8::2", 65535))
OLD = (("::1.2.3.4", 1), ("::1", 2))
"""An address that the kernel writes otherwise than Python."""


def v2(command=0x21, kind=0x11, addresses=b"\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb", length=None):
    length = len(addresses) if length is None else length
    return SIGNATURE + struct.pack("!BBH", command, kind, length) + addresses


GOOD = {
    b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n": V4,
    b"PROXY TCP6 2001:db8::1 2001:DB8:0::2 1 65535\r\n": V6,
    b"PROXY TCP6 ::ffff:192.0.2.1 ::FFFF:c633:6407 56324 443\r\n": V4,
    compose("v2", (("::ffff:192.0.2.1", 56324), ("::ffff:198.51.100.7", 443))): V4,
    b"PROXY TCP6 ::102:304 ::1 1 2\r\n": OLD,
    compose("v2", OLD): OLD,
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff:f...f:ffff whatever it says 65535\r\n": None,
    v2(): V4,
    v2(addresses=v2()[16:] + b"\x04\x00\x03abc"): V4,
    v2(command=0x20): None,
    v2(command=0x20, kind=0, addresses=b""): None,
    v2(kind=0x00, addresses=b"any"): None,
    v2(kind=0x31, addresses=bytes(216)): None,
    v2(kind=0x12): None,
}

BAD = {
    "another protocol": b"GET / HTTP/1.1\r\n",
    "a TLS hello": b"\x16\x03\x01",
    "lower case": b"proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
    "too long": b"PROXY " + b"x" * MAX_V1,
    "too few words": b"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
    "too many words": b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
    "two spaces": b"PROXY TCP4  1.1.1.1 2.2.2.2 1\r\n",
    "a family that is none": b"PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n",
    "the other family": b"PROXY TCP4 ::1 ::1 1 2\r\n",
    "a leading zero": b"PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n",
    "a zone": b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
    "a port too high": b"PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n",
    "a negative port": b"PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n",
    "a port in other digits": "PROXY TCP4 1.1.1.1 2.2.2.2 ١ 2\r\n".encode(),
    "not ASCII": b"PROXY UNKNOWN \xff\r\n",
    "a version that is none": v2(command=0x11),
    "a command that is none": v2(command=0x22),
    "a family too high": v2(kind=0x41),
    "a transport too high": v2(kind=0x13),
    "addresses cut short": v2(addresses=b"\x01" * 11),
    "a header too long": v2(length=MAX_V2 - 15),
}


def read(stream, step):
    """Feed `stream` as if `step` more bytes came into sight each time; what was taken, and the reader."""
    reader, taken, seen = HeaderReader(), 0, 0
    while not reader.done and seen < len(stream):
        seen = min(len(stream), seen + step)
        while not reader.done and taken < seen:
            count = reader.feed(stream[taken:seen])
            assert 0 < count <= seen - taken
            taken += count
    return taken, reader


@pytest.mark.parametrize("step", [1, 7, 5000])
@pytest.mark.parametrize(("header", "ends"), GOOD.items())
def test_header_is_taken_and_not_a_byte_more(header, ends, step):
    for rest in (b"", b"\r\n\r\n", b"\x16\x03\x01 and more", b"PROXY "):
        taken, reader = read(header + rest, step)
        assert (taken, reader.done, reader.ends) == (len(header), True, ends)


@pytest.mark.parametrize("step", [1, 7, 5000])
@pytest.mark.parametrize("stream", BAD.values(), ids=BAD.keys())
def test_bad_header_is_refused(stream, step):
    with pytest.raises(BadHeader):
        read(stream, step)


@pytest.mark.parametrize("header", GOOD)
def test_header_that_is_not_whole_is_waited_for(header):
    for cut in range(len(header)):
        taken, reader = read(header[:cut], 5000)
        assert (taken, reader.done) == (cut, False)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("ends", [V4, V6, None])
def test_composed_header_parses_back(version, ends):
    assert parse(compose(version, ends)) == ends


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_zone_of_a_link_local_address_is_left_out(version):
    header = compose(version, (("fe80::1%eth0", 1), ("fe80::2%eth0", 2)))
    assert parse(header) == (("fe80::1", 1), ("fe80::2", 2))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_ends_of_both_families_are_told_as_ipv6(version):
    header = compose(version, (V4[0], V6[1]))
    assert b"TCP6 ::ffff:192.0.2.1 " in header or ip_address("::ffff:192.0.2.1").packed in header
    assert parse(header) == (V4[0], V6[1])


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11"]),
)
def test_any_bytes_are_read_bounded_or_refused(garbage, start):
    reader, data, taken = HeaderReader(), start + garbage, 0
    try:
        while not reader.done and taken < len(data):
            taken += reader.feed(data[taken:])
    except BadHeader:
        return
    assert taken <= MAX_V2
