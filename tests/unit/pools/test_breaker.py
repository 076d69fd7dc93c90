"""What a pool refuses because it has enough to do."""

from __future__ import annotations

import pytest

from adc.pools.adaptive import AdaptiveLimit
from adc.pools.breaker import Breaker
from adc.pools.errors import Failure
from adc.pools.limits import Limits


@pytest.mark.parametrize(
    ("load", "refused"),
    [
        ({"active": 9, "pending": 4, "busy": 19}, None),
        ({"active": 10}, Failure.OVERLOAD),
        ({"active": 0, "pending": 5}, Failure.QUEUE_FULL),
        ({"active": 0, "busy": 20}, Failure.CONNECTION_LIMIT),
    ],
)
def test_each_ceiling_refuses_for_its_own_reason_and_is_counted(
    load: dict[str, int], refused: Failure | None
):
    breaker = Breaker(Limits(requests=10, pending=5, connections=20))
    assert breaker.refuse(**load) is refused
    assert sum(breaker.refused.values()) == (refused is not None)


def test_no_ceiling_refuses_nothing():
    assert Breaker(Limits()).refuse(10**6, 10**6, 10**6) is None


def test_the_adaptive_limit_is_one_of_the_ceilings():
    breaker = Breaker(Limits(), AdaptiveLimit(initial=8))
    assert breaker.refuse(7) is None
    assert breaker.refuse(8) is Failure.OVERLOAD
