"""Turns of a round robin, shared by processes."""

import os

import pytest

from adc.runtime.assembly.turns import SharedTurns


@pytest.fixture
def memory():
    descriptor = os.memfd_create("turns")
    os.ftruncate(descriptor, 1 << 12)
    yield descriptor
    os.close(descriptor)


def test_two_holders_of_the_memory_take_turns_with_each_other(memory):
    one, other = SharedTurns(memory).of("app"), SharedTurns(memory).of("app")
    assert [one.take(), other.take(), one.take(), other.take()] == [0, 1, 2, 3]


def test_pools_do_not_share_a_count(memory):
    turns = SharedTurns(memory)
    app = turns.of("app")
    assert [app.take() for _ in range(3)] == [0, 1, 2]
    assert turns.of("other").take() == 0


def test_without_memory_each_pool_counts_for_itself():
    turns = SharedTurns()
    app = turns.of("app")
    assert [app.take() for _ in range(3)] == [0, 1, 2]
    assert turns.of("app").take() == 0
