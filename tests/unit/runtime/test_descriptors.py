"""How many descriptors are left: counted, because the lowest free number says nothing of those above it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from adc.runtime.descriptors import last_for_clients, left
from tests.kit.descriptors import descriptor_limit

GAPS = 100


@pytest.fixture
def opened() -> Iterator[list[int]]:
    """Open descriptors; a test may close some and take them out."""
    numbers = [os.open(os.devnull, os.O_RDONLY) for _ in range(2 * GAPS)]
    yield numbers
    for number in numbers:
        os.close(number)


def count() -> int:
    return len(os.listdir("/proc/self/fd"))


def lowest_free() -> int:
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    return number


def test_some_are_left_well_under_the_limit_and_none_near_it(opened: list[int]) -> None:
    assert left(count() * 2)
    for limit in (count() + 1, count(), count() // 2):
        assert not left(limit)


def test_who_leaves_makes_room_wherever_the_number_was(opened: list[int]) -> None:
    limit = count() + 1
    for _ in range(GAPS):
        os.close(opened.pop(0))
    assert left(limit)


def test_a_low_number_that_is_free_does_not_mean_that_some_are_left(opened: list[int]) -> None:
    for _ in range(GAPS):
        os.close(opened.pop(0))
    assert lowest_free() < count()
    assert not left(count())


def test_none_are_left_if_there_is_not_even_one_to_count_with() -> None:
    with descriptor_limit(0):
        assert not left(1 << 30)


def test_clients_may_have_half_of_them() -> None:
    with descriptor_limit(1000):
        assert last_for_clients() == 500
