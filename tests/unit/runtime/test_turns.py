"""Turns of a round robin, shared by processes."""

import os
from itertools import islice

import pytest

from adc.runtime.turns import Turns


@pytest.fixture
def memory():
    descriptor = os.memfd_create("turns")
    os.ftruncate(descriptor, 1 << 12)
    yield descriptor
    os.close(descriptor)


def test_two_holders_of_the_memory_take_turns_with_each_other(memory):
    one, other = Turns(memory).of("app"), Turns(memory).of("app")
    assert [next(one), next(other), next(one), next(other)] == [0, 1, 2, 3]


def test_pools_do_not_share_a_count(memory):
    turns = Turns(memory)
    assert list(islice(turns.of("app"), 3)) == [0, 1, 2]
    assert next(turns.of("other")) == 0


def test_without_memory_each_pool_counts_for_itself():
    turns = Turns()
    assert list(islice(turns.of("app"), 3)) == [0, 1, 2]
    assert next(turns.of("app")) == 0
