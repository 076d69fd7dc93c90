"""Connection ids in QUIC headers, and the members to which they lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.l4.udp.id_memory import WAYS, IdMemory
from adc.l4.udp.quic import LearnedIds, ServerIds, destination, source

A, B = "10.0.0.1:443", "10.0.0.2:443"
NOW = 10_000.0

ids = st.binary(max_size=20)


def words(places):
    """Return memory for so many ids."""
    return memoryview(bytearray(places * 16 + 24)).cast("Q")


def learner(places=1024):
    learned = LearnedIds("h3", IdMemory(words(places)))
    learned.follow([A, B])
    return learned


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
    learned = learner()
    learned.sent(data, A, NOW)
    learned.received(data, A, NOW)
    assert learned.find(data) in (A, None)
    assert ServerIds({b"\1": A}, 1).find(data) in (A, None)


@given(ids, ids, st.integers(0, 47))
def test_headers_that_are_cut_have_no_ids(to, of, end):
    whole = long_header(to, of, b"")
    cut = whole[: min(end, len(whole) - 1)]
    assert source(cut) == b""


def test_a_member_is_found_by_the_id_that_it_chose_in_long_and_short_headers():
    learned = learner()
    learned.received(long_header(b"client00", b"serverAA"), A, NOW)
    learned.received(long_header(b"client00", b"serverB"), B, NOW)
    assert learned.find(short_header(b"serverAA")) == A
    assert learned.find(short_header(b"serverB")) == B
    assert learned.find(long_header(b"serverAA")) == A
    assert learned.find(short_header(b"unknown!")) is None
    assert learned.find(b"") is None


def test_a_member_is_found_by_the_first_id_of_the_client():
    learned = learner()
    learned.sent(long_header(b"firstid1"), A, NOW)
    assert learned.find(long_header(b"firstid1", b"other")) == A


@pytest.mark.parametrize("name", [b"", b"abc"])
def test_short_ids_are_not_learned(name):
    learned = learner()
    learned.received(long_header(b"client00", name), A, NOW)
    assert learned.find(short_header(name)) is None


def test_the_oldest_id_is_forgotten_first():
    learned = learner(places=WAYS)
    names = [b"name%02d" % number for number in range(WAYS + 2)]
    for age, name in enumerate(names[:-1]):
        learned.received(long_header(b"", name), A, NOW + age)
    learned.received(long_header(b"", names[1]), A, NOW + WAYS + 1)
    learned.received(long_header(b"", names[-1]), A, NOW + WAYS + 2)
    found = [name for name in names if learned.find(short_header(name)) == A]
    assert found == [names[1], *names[3:]]


def test_ids_of_clients_make_room_before_ids_of_members():
    learned = learner(places=WAYS)
    learned.received(long_header(b"", b"serverAA"), A, NOW)
    for number in range(3 * WAYS):
        learned.sent(long_header(b"spoof%03d" % number), B, NOW + number)
    assert learned.find(short_header(b"serverAA")) == A


def test_workers_share_what_they_learn():
    memory = IdMemory(words(64))
    one, two = (LearnedIds("h3", memory) for _ in range(2))
    for each in (one, two):
        each.follow([A, B])
    one.received(long_header(b"client00", b"serverBB"), B, NOW)
    assert two.find(short_header(b"serverBB")) == B


def test_listeners_learn_apart_and_removed_members_are_not_found():
    memory = IdMemory(words(64))
    one, two = (LearnedIds(name, memory) for name in ("h3", "game"))
    for each in (one, two):
        each.follow([A, B])
    one.received(long_header(b"client00", b"serverBB"), B, NOW)
    assert two.find(short_header(b"serverBB")) is None
    one.follow([A])
    assert one.find(short_header(b"serverBB")) is None


def test_words_of_two_ids_name_no_member():
    memory = words(WAYS)
    learned = LearnedIds("h3", IdMemory(memory))
    learned.follow([A, B])
    learned.received(long_header(b"client00", b"serverAA"), A, NOW)
    [place] = [each for each in range(0, 2 * WAYS, 2) if memory[each]]
    before = memory[place]
    memory[place] = 0
    learned.received(long_header(b"client00", b"serverBB"), B, NOW + 1)
    [other] = [each for each in range(0, 2 * WAYS, 2) if memory[each]]
    memory[other] = before
    assert learned.find(short_header(b"serverAA")) is None


def test_bytes_of_an_id_name_its_member_in_every_header():
    named = ServerIds({b"\x0a\x01": A, b"\x0a\x02": B}, 1)
    assert named.find(short_header(b"\x00\x0a\x01nonce")) == A
    assert named.find(long_header(b"\x00\x0a\x02nonce")) == B
    assert named.find(short_header(b"\x00\x0a\x03nonce")) is None
    assert named.find(long_header(b"\x00")) is None
