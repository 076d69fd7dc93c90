"""The ramp from recovery to full weight."""

from __future__ import annotations

from math import inf

import pytest

from adc.pools.member import Member
from adc.pools.slow_start import SlowStart


@pytest.fixture
def member() -> Member:
    member = Member("app", "a", weight=4)
    member.recovered_at = 100.0
    return member


@pytest.mark.parametrize(
    ("after", "share"),
    [(0.0, 0.4), (1.0, 0.4), (5.5, 1.0), (10.5, 2.0), (19.9, 3.8), (20.0, 4.0), (99.0, 4.0)],
)
def test_the_share_rises_linearly_in_steps_from_a_tenth(member: Member, after: float, share: float):
    assert SlowStart(20.0).share(member, 100.0 + after) == pytest.approx(share)


def test_the_next_step_is_told_until_the_ramp_is_over(member: Member):
    ramp = SlowStart(20.0)
    now, steps = 100.0, 0
    while (following := ramp.next_step(member, now)) < inf:
        assert following > now
        now, steps = following, steps + 1
    assert (now, steps) == (120.0, 20)


def test_a_member_that_never_recovered_has_all_its_weight():
    member = Member("app", "a", weight=4)
    assert SlowStart(20.0).share(member, 0.0) == 4
    assert SlowStart(20.0).next_step(member, 0.0) == inf
