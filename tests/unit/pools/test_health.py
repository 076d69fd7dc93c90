"""From results of checks to states, and the times of checks."""

from __future__ import annotations

from random import Random

import pytest

from adc.pools.health import HealthState, Schedule
from adc.pools.member import Health

U, P, D = Health.UNKNOWN, Health.UP, Health.DOWN


@pytest.mark.parametrize(
    ("results", "states"),
    [
        ("+", [P]),
        ("-", [D]),
        ("+---", [P, P, P, D]),
        ("+--+--+", [P] * 7),
        ("+--+---", [P, P, P, P, P, P, D]),
        ("-++", [D, D, P]),
        ("-+-+-", [D] * 5),
        ("-+-++", [D, D, D, D, P]),
        ("-++---++", [D, D, P, P, P, D, D, P]),
    ],
)
def test_states_follow_results_with_rise_2_and_fall_3(results: str, states: list[Health]):
    state = HealthState(rise=2, fall=3)
    seen = []
    for result in results:
        state.feed(None if result == "+" else "refused", 0.0)
        seen.append(state.health)
    assert seen == states


def test_a_change_is_told_once_dated_and_explained():
    state = HealthState(rise=1, fall=2)
    assert state.health is U
    told = [
        state.feed(failure, now) for now, failure in enumerate([None, "refused", "status 500", "status 502"])
    ]
    assert told == [True, False, True, False]
    assert (state.since, state.reason) == (2, "status 502")
    assert (state.checks, state.failures) == (4, 3)


def test_a_member_that_is_up_again_has_no_reason_left():
    state = HealthState(rise=1, fall=1)
    state.feed("refused", 0.0)
    state.feed(None, 1.0)
    assert state.reason == ""


class TestSchedule:
    rng = Random(3)

    def delays(self, state: HealthState) -> list[float]:
        schedule = Schedule(10.0, down_interval=40.0)
        return [schedule.following(state, 100.0, self.rng) - 100.0 for _ in range(200)]

    def test_intervals_vary_by_a_tenth_either_way(self):
        state = HealthState()
        state.feed(None, 0.0)
        delays = self.delays(state)
        assert 9.0 <= min(delays) < 9.3
        assert 10.7 < max(delays) <= 11.0

    def test_a_member_that_is_down_is_checked_less_often(self):
        state = HealthState()
        state.feed("refused", 0.0)
        assert min(self.delays(state)) >= 36.0

    def test_a_member_on_its_way_up_is_checked_at_the_ordinary_pace(self):
        state = HealthState(rise=2)
        state.feed("refused", 0.0)
        state.feed(None, 0.0)
        assert state.health is D
        assert max(self.delays(state)) <= 11.0

    def test_twice_the_interval_while_down_unless_said_otherwise(self):
        state = HealthState()
        state.feed("refused", 0.0)
        assert 1.8 <= Schedule(1.0).following(state, 0.0, self.rng) <= 2.2

    @pytest.mark.parametrize(("interval", "spread"), [(0.5, 0.5), (60.0, 1.0)])
    def test_first_checks_are_soon_and_spread(self, interval: float, spread: float):
        first = [Schedule(interval).first(5.0, self.rng) for _ in range(100)]
        assert min(first) >= 5.0
        assert spread / 2 < max(first) - min(first) <= spread
