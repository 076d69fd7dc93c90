"""A concurrency limit that follows response times."""

from __future__ import annotations

from adc.pools.adaptive import AdaptiveLimit
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member

MEMBER = Member("app", "a")


def serve(limit: AdaptiveLimit, windows: int, elapsed: float, *, start: float, used: float = 1.0) -> float:
    """`windows` half seconds of 20 answers each, with the share `used` of the limit in flight."""
    now = start
    for _ in range(windows):
        limit.admits(int(limit.limit * used) - 1)
        for _ in range(20):
            now += 0.5 / 20
            limit.observe(MEMBER, now, 200, elapsed)
    return now


def end(limit: AdaptiveLimit, outcome: Outcome, now: float) -> float:
    before = limit.limit
    limit.observe(MEMBER, now, outcome, 1.0)
    return limit.limit - before


def test_steady_times_under_full_use_raise_the_limit_to_the_most():
    limit = AdaptiveLimit(initial=20, most=100)
    serve(limit, 200, 0.05, start=0.0)
    assert limit.limit == 100


def test_an_unused_limit_does_not_grow():
    limit = AdaptiveLimit(initial=20)
    serve(limit, 50, 0.05, start=0.0, used=0.3)
    assert limit.limit == 20


def test_slowing_down_lowers_the_limit_and_the_least_stays():
    limit = AdaptiveLimit(initial=100, least=10)
    now = serve(limit, 5, 0.05, start=0.0)
    before = limit.limit
    now = serve(limit, 10, 0.5, start=now)
    assert limit.limit < before / 2
    serve(limit, 20, 5.0, start=now)
    assert limit.limit >= 10


def test_recovered_times_raise_it_again():
    limit = AdaptiveLimit(initial=100, least=10)
    now = serve(limit, 5, 0.05, start=0.0)
    now = serve(limit, 20, 0.5, start=now)
    low = limit.limit
    serve(limit, 60, 0.05, start=now)
    assert limit.limit > 2 * low


def test_a_failing_member_lowers_it_and_a_leaving_client_does_not():
    assert end(AdaptiveLimit(initial=50), Failure.RESPONSE_TIMEOUT, 1.0) < 0
    assert end(AdaptiveLimit(initial=50), Failure.CLIENT_GONE, 1.0) == 0


def test_a_few_answers_decide_nothing():
    limit = AdaptiveLimit(initial=50)
    for i in range(9):
        limit.observe(MEMBER, 10.0 + i, 200, 0.05)
    assert limit.limit == 50


def test_instant_answers_are_no_division_by_zero():
    limit = AdaptiveLimit(initial=20)
    serve(limit, 3, 0.0, start=0.0)
    assert limit.limit > 20
