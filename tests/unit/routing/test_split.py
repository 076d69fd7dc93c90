from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from adc.routing import Split


def test_shares_are_those_of_the_weights() -> None:
    split = Split([("blue", 90), ("green", 10)])
    chance = Random(7).random
    counts = Counter(split.pick(chance) for _ in range(10_000))
    assert 850 < counts["green"] < 1150
    assert counts["blue"] + counts["green"] == 10_000


def test_bounds_belong_to_the_next_share() -> None:
    split = Split([("blue", 9), ("green", 1), ("never", 0)])
    points = iter([0.0, 0.8999, 0.9, 0.999999999999])
    assert [split.pick(points.__next__) for _ in range(4)] == ["blue", "blue", "green", "green"]


def test_zero_weight_is_never_picked() -> None:
    assert Split([("off", 0), ("on", 1)]).pick(lambda: 0.0) == "on"


@pytest.mark.parametrize("shares", [[], [("a", 0)], [("a", 2), ("b", -1)]])
def test_weights_without_a_sum_are_refused(shares: list[tuple[str, int]]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Split(shares)
