"""Frames between nodes: what is sealed is opened once, by its receiver only, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.l4.udp.frames import FORWARD, LIFE, WINDOW, Opener, Sealer, digest_of

KEY = b"k" * 32
NOW = 1_700_000_000.0
CLIENT, OWN = ("192.0.2.1", 5000), ("2001:db8::1", 53, 0, 3)


def sealer(key=KEY, started=NOW):
    return Sealer(key, "a", 2, started)


def sealed(by, data=b"hello", receiver="b", wall=NOW):
    return by.seal(digest_of(receiver), 1, FORWARD, "game", CLIENT, OWN, data, wall)


@given(st.binary(max_size=3000), st.text(max_size=60))
def test_a_sealed_datagram_is_opened(data, listener):
    frame = sealer().seal(digest_of("b"), 1, FORWARD, listener, CLIENT, OWN, data, NOW)
    assert frame[0] == 1
    opened = Opener(KEY, "b").open(frame, NOW)
    assert opened == (FORWARD, digest_of("a"), 2, listener, CLIENT, OWN, data)


@given(st.data())
def test_a_frame_with_another_byte_is_not_opened(data):
    frame = bytearray(sealed(sealer()))
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= data.draw(st.integers(1, 255))
    assert Opener(KEY, "b").open(bytes(frame), NOW) is None


@given(st.binary(max_size=300))
def test_other_datagrams_are_not_opened(data):
    assert Opener(KEY, "b").open(data, NOW) is None


def test_a_frame_of_another_key_or_for_another_node_is_not_opened():
    assert Opener(KEY, "b").open(sealed(sealer(b"x" * 32)), NOW) is None
    assert Opener(KEY, "c").open(sealed(sealer()), NOW) is None


@pytest.mark.parametrize("late", [LIFE + 2, -LIFE - 2])
def test_a_frame_of_another_time_is_not_opened(late):
    assert Opener(KEY, "b").open(sealed(sealer()), NOW + late) is None


def test_a_frame_is_opened_once_whatever_the_order():
    by, opener = sealer(), Opener(KEY, "b")
    frames = [sealed(by) for _ in range(6)]
    for frame in (frames[2], frames[0], frames[5], frames[1]):
        assert opener.open(frame, NOW) is not None
        assert opener.open(frame, NOW) is None
    assert [opener.open(frame, NOW) is not None for frame in frames] == [False] * 3 + [True] * 2 + [False]


def test_a_frame_behind_the_window_is_not_opened():
    by, opener = sealer(), Opener(KEY, "b")
    frames = [sealed(by) for _ in range(WINDOW + 1)]
    assert opener.open(frames[-1], NOW) is not None
    assert opener.open(frames[1], NOW) is not None
    assert opener.open(frames[0], NOW) is None


@pytest.mark.parametrize("later", [1, -3600], ids=["later", "clock_set_back"])
def test_frames_of_both_starts_of_a_sender_are_opened_once(later):
    """The processes of an upgrade run side by side, and a clock may be set back."""
    opener, senders = Opener(KEY, "b"), (sealer(), sealer(started=NOW + later), sealer())
    frames = [sealed(by) for by in senders[:2] for _ in range(3)]
    assert all(opener.open(frame, NOW) is not None for frame in frames[::2])
    assert all(opener.open(frame, NOW) is None for frame in frames[::2])
    assert all(opener.open(frame, NOW) is not None for frame in frames[1::2])
    assert opener.open(sealed(senders[2]), NOW) is None
