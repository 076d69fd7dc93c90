"""Connection ids in QUIC headers, and the members to which they lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.l4.udp.quic import LearnedIds, ServerIds, destination, source

A, B = "10.0.0.1:443", "10.0.0.2:443"

ids = st.binary(max_size=20)


def long_header(to, of=b"", rest=b"\0" * 20):
    return b"\xc3\0\0\0\x01" + bytes([len(to)]) + to + bytes([len(of)]) + of + rest


def short_header(to, rest=b"\0" * 20):
    return b"\x43" + to + rest


@given(ids, ids, st.binary(max_size=8))
def test_ids_of_long_headers_are_read(to, of, rest):
    data = long_header(to, of, rest)
    assert (destination(data), source(data)) == (to, of)


@given(st.binary(max_size=60))
def test_any_datagram_is_read_without_failing(data):
    assert len(destination(data)) <= 20
    assert len(source(data)) <= 20
    learned = LearnedIds(4)
    learned.sent(data, A)
    learned.received(data, A)
    assert learned.find(data) in (A, None)
    assert ServerIds({b"\1": A}, 1).find(data) in (A, None)


@given(ids, ids, st.integers(0, 47))
def test_headers_that_are_cut_have_no_ids(to, of, end):
    whole = long_header(to, of, b"")
    cut = whole[: min(end, len(whole) - 1)]
    assert source(cut) == b""


def test_a_member_is_found_by_the_id_that_it_chose_in_long_and_short_headers():
    learned = LearnedIds(100)
    learned.received(long_header(b"client00", b"serverAA"), A)
    learned.received(long_header(b"client00", b"serverB"), B)
    assert learned.find(short_header(b"serverAA")) == A
    assert learned.find(short_header(b"serverB")) == B
    assert learned.find(long_header(b"serverAA")) == A
    assert learned.find(short_header(b"unknown!")) is None
    assert learned.find(b"") is None


def test_a_member_is_found_by_the_first_id_of_the_client():
    learned = LearnedIds(100)
    learned.sent(long_header(b"firstid1"), A)
    assert learned.find(long_header(b"firstid1", b"other")) == A


@pytest.mark.parametrize("name", [b"", b"abc"])
def test_short_ids_are_not_learned(name):
    learned = LearnedIds(100)
    learned.received(long_header(b"client00", name), A)
    assert len(learned) == 0
    assert learned.find(short_header(name)) is None


def test_the_oldest_id_is_forgotten_first():
    learned = LearnedIds(2)
    for name in (b"first", b"second", b"first", b"third"):
        learned.received(long_header(b"", name), A)
    assert learned.find(short_header(b"second")) is None
    assert learned.find(short_header(b"first")) == A
    assert len(learned) == 2


def test_bytes_of_an_id_name_its_member_in_every_header():
    named = ServerIds({b"\x0a\x01": A, b"\x0a\x02": B}, 1)
    assert named.find(short_header(b"\x00\x0a\x01nonce")) == A
    assert named.find(long_header(b"\x00\x0a\x02nonce")) == B
    assert named.find(short_header(b"\x00\x0a\x03nonce")) is None
    assert named.find(long_header(b"\x00")) is None
