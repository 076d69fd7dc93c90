"""Replies of the kernel about its ruleset are read or refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.control.nft_generation import number_of
from adc.sessions.conntrack import BadMessage


def reply(body, kind=10 << 8 | 15):
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def test_number_is_read():
    body = bytes(4) + struct.pack("=HH", 8, 1) + struct.pack("!I", 77) + struct.pack("=HH", 8, 2) + bytes(4)
    assert number_of(reply(body)) == 77


def test_refusal_has_its_number():
    with pytest.raises(PermissionError):
        number_of(reply(struct.pack("=i", -1), kind=2))


@given(st.binary(max_size=80))
def test_any_other_bytes_are_no_number(data):
    for text in (data, reply(data), reply(data, kind=3)):
        try:
            assert number_of(text) >= 0
        except (BadMessage, OSError):
            pass
