"""Replies of the kernel about its rules are read or refused, and say what nft would."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.control import nft_listing
from adc.control.nft import NftFailed
from adc.control.nft_messages import (
    GET_CHAIN,
    GET_OBJECT,
    GET_SET,
    counter_of,
    fixed,
    generation_of,
    named,
    parts_of,
    request,
)
from adc.sessions.conntrack import BadMessage, messages


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def number(value):
    return struct.pack("!I", value)


def body(*attributes, table=b"adc_n1"):
    return bytes(4) + attribute(1, table + b"\0") + b"".join(attributes)


def part(*attributes):
    (found,) = parts_of([body(*attributes)], "adc_n1")
    return found


def test_parts_of_other_tables_are_left_out():
    assert parts_of([body(table=b"adc_n10"), body(table=b"other"), bytes(4)], "adc_n1") == []


@pytest.mark.parametrize(
    ("kind", "attributes", "expected"),
    [
        (GET_CHAIN, [attribute(3, b"arrive\0")], ("chain", "arrive")),
        (GET_SET, [attribute(2, b"bad\0"), attribute(3, number(4))], ("set", "bad")),
        (GET_SET, [attribute(2, b"members\0"), attribute(3, number(8))], ("map", "members")),
        (GET_SET, [attribute(2, b"__set0\0"), attribute(3, number(3))], ("", "__set0")),
        (GET_OBJECT, [attribute(2, b"rule_x\0"), attribute(3, number(1))], ("counter", "rule_x")),
        (GET_OBJECT, [attribute(2, b"tcp4\0"), attribute(3, number(7))], ("ct timeout", "tcp4")),
        (GET_OBJECT, [attribute(2, b"q\0"), attribute(3, number(2))], ("", "q")),
    ],
)
def test_parts_have_their_kind_and_name(kind, attributes, expected):
    assert named(kind, part(*attributes)) == expected


def test_uses_and_packets_do_not_change_what_a_part_is():
    data = attribute(4, attribute(2, struct.pack("!Q", 7)))
    before = part(attribute(2, b"rule_x\0"), attribute(3, number(1)), data)
    after = part(attribute(2, b"rule_x\0"), attribute(3, number(1)), attribute(5, number(9)))
    assert fixed(GET_OBJECT, before) == fixed(GET_OBJECT, after)
    assert counter_of(before) == ("rule_x", 7)


def test_request_names_table_and_set_in_whole_words():
    ((kind, content),) = messages(request(GET_SET, table="adc_n1", name="bad"))
    assert (kind, content[0]) == (10 << 8 | GET_SET, 1)
    assert content[4:] == attribute(1, b"adc_n1\0") + attribute(2, b"bad\0")


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data):
    for text in (data, body(data), body(attribute(2, data), attribute(3, data), attribute(4, data))):
        for read in (generation_of, lambda bodies: [counter_of(each) for each in parts_of(bodies, "adc_n1")]):
            try:
                read([text])
            except BadMessage:
                pass


@pytest.mark.parametrize(
    ("error", "message"),
    [(PermissionError(1, "no"), "give it CAP_NET_ADMIN"), (TimeoutError("late"), "cannot be read: late")],
)
def test_failure_to_read_is_told(monkeypatch, error, message):
    def fail(request):
        raise error

    monkeypatch.setattr(nft_listing, "_asked", fail)
    for read in (
        nft_listing.generation,
        lambda: nft_listing.names("adc_n1"),
        lambda: nft_listing.counters("x"),
    ):
        with pytest.raises(NftFailed, match=message):
            read()
