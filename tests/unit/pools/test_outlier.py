"""When failing answers make a member an outlier, and for how long."""

from __future__ import annotations

import pytest

from adc.pools.errors import Failure
from adc.pools.member import Member
from adc.pools.outlier import Outlier


def feed(
    outlier: Outlier, member: Member, outcomes: str, start: float = 0.0, step: float = 0.1
) -> list[bool]:
    """`-` is a failure, `+` an answer, `step` seconds apart."""
    return [
        outlier.observe(member, 200 if outcome == "+" else Failure.RESET, start + i * step)
        for i, outcome in enumerate(outcomes)
    ]


@pytest.fixture
def member() -> Member:
    return Member("app", "a")


@pytest.fixture
def outlier() -> Outlier:
    return Outlier(failures=3, window=10.0, eject=30.0, max_ejected=0.5)


@pytest.mark.parametrize(
    ("outcomes", "ejected"),
    [
        ("--", False),
        ("---", True),
        ("-+-+-", True),  # half of all answers
        ("+++++++-+-+-", False),  # a few among many
        ("+++++++---", True),  # in a row, however many came before
    ],
)
def test_failures_in_a_row_or_half_of_all_eject(outlier, member, outcomes: str, ejected: bool):
    assert any(feed(outlier, member, outcomes)) is ejected


def test_failures_further_apart_than_the_window_do_not_add_up(outlier, member):
    assert not any(feed(outlier, member, "-----", step=5.0))


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (500, True),
        (502, True),
        (503, True),
        (504, True),
        (501, False),
        (404, False),
        (200, False),
        (Failure.CONNECTION_REFUSED, True),
        (Failure.RESPONSE_TIMEOUT, True),
        (Failure.CLIENT_GONE, False),
        (Failure.STALE_CONNECTION, False),
        (Failure.QUEUE_TIMEOUT, False),
    ],
)
def test_only_the_member_s_own_failures_count(member, outcome, counts: bool):
    assert Outlier(failures=1).observe(member, outcome, 0.0) is counts


def test_statuses_that_count_can_be_chosen(member):
    assert Outlier(failures=1, statuses=frozenset({429})).observe(member, 429, 0.0)
    assert not Outlier(failures=1, statuses=frozenset({429})).observe(member, 500, 0.0)


def test_each_ejection_lasts_longer_up_to_ten_times(outlier, member):
    lengths = []
    now = 1000.0
    for _ in range(12):
        outlier.eject(member, now)
        lengths.append(member.ejected_until - now)
        now = member.ejected_until + 1.0
    assert lengths == [30.0 * min(i, 10) for i in range(1, 13)]


def test_serving_well_for_the_longest_ejection_is_a_fresh_start(outlier, member):
    outlier.eject(member, 1000.0)
    outlier.eject(member, 1030.0)
    assert member.ejections == 2
    outlier.eject(member, member.ejected_until + 300.0)
    assert member.ejections == 1


def test_an_ejection_starts_the_count_afresh(outlier, member):
    feed(outlier, member, "---")
    outlier.eject(member, 0.3)
    assert not any(feed(outlier, member, "--", start=0.4))


@pytest.mark.parametrize(
    ("count", "share", "most"), [(1, 0.5, 0), (2, 0.5, 1), (3, 0.5, 1), (4, 0.5, 2), (4, 1.0, 4), (4, 0.0, 0)]
)
def test_at_most_a_share_of_the_pool_is_out(count: int, share: float, most: int):
    outlier = Outlier(max_ejected=share)
    members = tuple(Member("app", str(i)) for i in range(count))
    ejected = 0
    while outlier.room(members):
        outlier.eject(members[ejected], 0.0)
        ejected += 1
    assert ejected == most


def test_member_that_cannot_be_reached_is_out_until_active_checks_decide():
    outlier = Outlier(eject=30.0, unreachable=2.0)
    member = Member("app", "a")
    for now in (0.0, 10.0):
        outlier.eject(member, now, unreachable=True)
        assert member.ejected_until == now + 2.0
    outlier.eject(member, 20.0)
    assert member.ejected_until == 50.0
