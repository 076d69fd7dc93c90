"""Nodes agree on pins in whatever order they hear of them; messages between them survive the trip."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.persistence.pin import Pin, merge_pins, unpack_pin
from adc.persistence.signing import Signer
from adc.state.changes import Write, decode_writes, encode_writes

NOW = 1_700_000_000.0
MEMBERS = [b"member-a", b"member-b", b"member-c"]
PINS = st.builds(
    Pin,
    st.sampled_from(MEMBERS),
    st.sampled_from([NOW, NOW + 0.5, NOW + 1]),
    st.sampled_from([NOW, NOW + 9]),
    st.integers(0, 3),
    st.integers(0, 2),
    st.sampled_from(["", "n1", "n2"]),
)


@given(PINS, PINS, PINS)
def test_merging_does_not_depend_on_the_order(one: Pin, two: Pin, three: Pin) -> None:
    a, b, c = one.pack(), two.pack(), three.pack()
    assert merge_pins(a, b) == merge_pins(b, a)
    assert merge_pins(a, a) == a
    winners = {_member(merge_pins(merge_pins(x, y), z)) for x, y, z in ((a, b, c), (b, c, a), (c, a, b))}
    assert len(winners) == 1


@given(PINS, PINS)
def test_client_that_moved_on_is_not_moved_back(one: Pin, other: Pin) -> None:
    kept = unpack_pin(merge_pins(one.pack(), other.pack()))
    assert kept is not None
    assert kept.moves == max(one.moves, other.moves)


@given(st.binary(max_size=100), PINS)
def test_junk_never_wins_over_a_pin(junk: bytes, pin: Pin) -> None:
    if unpack_pin(junk) is None:
        assert merge_pins(junk, pin.pack()) == merge_pins(pin.pack(), junk) == pin.pack()


def _member(value: bytes) -> bytes:
    pin = unpack_pin(value)
    assert pin is not None
    return pin.member


@given(st.text(max_size=60))
def test_no_text_that_we_did_not_sign_is_believed(text: str) -> None:
    assert isinstance(Signer("app", [b"k" * 16], MEMBERS).read(text, NOW), str)


WRITES = st.builds(
    Write,
    st.sampled_from(["put", "touch", "drop"]),
    st.text(max_size=20),
    st.binary(min_size=1, max_size=255),
    st.binary(max_size=1024),
    st.floats(NOW, NOW + 1e6),
    st.just(0),
)


@given(st.lists(WRITES, max_size=20))
def test_changes_survive_the_trip(writes: list[Write]) -> None:
    heard = list(decode_writes(encode_writes(writes, NOW), NOW))
    assert [write._replace(expires=0.0) for write in heard] == [
        write._replace(expires=0.0) for write in writes
    ]
    assert [write.expires for write in heard] == pytest.approx([write.expires for write in writes], abs=0.001)


@given(st.binary(max_size=200))
def test_message_of_any_bytes_is_changes_or_an_error(message: bytes) -> None:
    with suppress(ValueError):
        list(decode_writes(message, NOW))
