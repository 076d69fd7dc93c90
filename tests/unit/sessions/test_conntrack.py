"""Messages of connection tracking are read whole or refused; no bytes make the parser fail otherwise."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.sessions.conntrack import NEW, BadMessage, about_ports, error_of, messages, parse


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def direction(source, source_port, destination, port, protocol=6):
    ip = attribute(1, bytes(source)) + attribute(2, bytes(destination))
    ports = attribute(2, struct.pack("!H", source_port)) + attribute(3, struct.pack("!H", port))
    return attribute(1, ip) + attribute(2, attribute(1, bytes([protocol])) + ports)


def entry(protocol=6):
    client, own, member = (10, 0, 0, 2), (10, 0, 0, 1), (10, 0, 1, 1)
    return b"".join(
        (
            bytes(4),
            attribute(1, direction(client, 4000, own, 80, protocol)),
            attribute(2, direction(member, 8080, own, 4000, protocol)),
            attribute(3, struct.pack("!I", 2)),
            attribute(4, attribute(1, attribute(1, b"\x03"))),
            attribute(7, struct.pack("!I", 300)),
            attribute(9, attribute(1, struct.pack("!Q", 5)) + attribute(2, struct.pack("!Q", 700))),
            attribute(12, struct.pack("!I", 99)),
        )
    )


def test_entry_has_both_directions_and_its_time():
    found = parse(entry())
    assert found.original.source == ("10.0.0.2", 4000)
    assert found.original.destination == ("10.0.0.1", 80)
    assert found.reply.source == ("10.0.1.1", 8080)
    assert (found.number, found.left, found.state, found.replied) == (99, 300, 3, True)
    assert (found.packets_in, found.bytes_in, found.packets_out) == (5, 700, 0)


def test_protocol_without_ports_is_left_out():
    assert parse(entry(protocol=1)) is None


def test_entry_cut_anywhere_is_refused():
    whole = entry()
    for end in range(4, len(whole) - 4, 4):
        with pytest.raises(BadMessage):
            parse(whole[:end])


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    for read in (parse, error_of, lambda data: list(messages(data))):
        try:
            read(data)
        except BadMessage:
            pass


def test_messages_are_split_by_their_lengths():
    data = struct.pack("=IHHII", 18, NEW, 0, 0, 0) + b"ab\0\0" + struct.pack("=IHHII", 16, 3, 0, 0, 0)
    assert list(messages(data)) == [(NEW, b"ab"), (3, b"")]


@given(st.integers(0, 65535), st.lists(st.integers(0, 65535), max_size=5))
def test_messages_about_ports_are_found_without_parsing(port, others):
    body = direction((10, 0, 0, 2), 4000, (10, 0, 0, 1), port)
    assert about_ports([*others, port])(body)
    assert bool(about_ports(others)(body)) is (port in others)
