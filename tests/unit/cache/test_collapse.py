"""One fetch for simultaneous misses, inside a worker."""

from adc.cache.collapse import HIT_FOR_MISS_SECONDS, Flights, Outcome, Role

KEY = b"k"


def flight(followers: int, most: int = 10_000) -> Flights[int]:
    flights: Flights[int] = Flights(most)
    assert flights.join(KEY, -1, 0) is Role.LEAD
    for number in range(followers):
        assert flights.join(KEY, number, 0) is Role.FOLLOW
    return flights


def test_the_first_leads_and_the_rest_follow() -> None:
    flights = flight(999)
    assert flights.waiting(KEY) == 999
    assert flights.join(b"other", 0, 0) is Role.LEAD


def test_when_filled_all_look_again() -> None:
    flights = flight(3)
    assert flights.finished(KEY, Outcome.FILLED, 0) == [(number, Role.FOLLOW) for number in range(3)]
    assert len(flights) == 0
    assert flights.join(KEY, 9, 0) is Role.LEAD


def test_followers_that_fit_are_taken_while_it_is_filled() -> None:
    flights = flight(4)
    assert flights.take(KEY, lambda number: number % 2 == 0) == [0, 2]
    assert flights.finished(KEY, Outcome.FILLED, 0) == [(1, Role.FOLLOW), (3, Role.FOLLOW)]


def test_after_a_failure_one_follower_leads_at_a_time() -> None:
    flights = flight(2)
    assert flights.finished(KEY, Outcome.FAILED, 0) == [(0, Role.LEAD)]
    assert flights.finished(KEY, Outcome.FAILED, 0) == [(1, Role.LEAD)]
    assert flights.finished(KEY, Outcome.FAILED, 0) == []
    assert len(flights) == 0


def test_an_uncacheable_response_releases_followers_on_a_slope() -> None:
    flights = flight(1000)
    under_way = [number for number, _ in flights.finished(KEY, Outcome.UNCACHEABLE, 0)]
    assert under_way == [0]
    seen, rounds = len(under_way), 0
    while under_way:
        woken = [flights.passed(KEY) for _ in under_way]
        assert all(role is Role.ALONE for some in woken for _, role in some)
        assert all(len(some) <= 2 for some in woken)
        under_way = [number for some in woken for number, _ in some]
        seen, rounds = seen + len(under_way), rounds + 1
    assert seen == 1000
    assert rounds < 12
    assert len(flights) == 0


def test_after_an_uncacheable_response_nobody_waits_for_a_while() -> None:
    flights = flight(0)
    flights.finished(KEY, Outcome.UNCACHEABLE, 100)
    assert flights.join(KEY, 0, 100 + HIT_FOR_MISS_SECONDS - 1) is Role.ALONE
    assert flights.join(KEY, 0, 100 + HIT_FOR_MISS_SECONDS) is Role.LEAD


def test_a_follower_may_leave() -> None:
    flights = flight(2)
    flights.leave(KEY, 0)
    flights.leave(KEY, 0)
    flights.leave(b"other", 0)
    assert flights.finished(KEY, Outcome.FILLED, 0) == [(1, Role.FOLLOW)]


def test_a_slope_whose_last_follower_left_ends() -> None:
    flights = flight(2)
    flights.finished(KEY, Outcome.UNCACHEABLE, 0)
    flights.leave(KEY, 1)
    assert len(flights) == 0
    assert flights.passed(KEY) == []


def test_waiting_requests_are_bounded() -> None:
    assert flight(5, most=5).join(KEY, 6, 0) is Role.ALONE


def test_remembered_passes_are_bounded() -> None:
    flights: Flights[int] = Flights()
    for number in range(5000):
        key = b"%d" % number
        flights.join(key, 0, 0)
        flights.finished(key, Outcome.UNCACHEABLE, 0)
    assert flights.join(b"0", 0, 1) is Role.LEAD
    assert flights.join(b"4999", 0, 1) is Role.ALONE


def test_an_unknown_key_is_nobodys_flight() -> None:
    flights: Flights[int] = Flights()
    assert flights.finished(KEY, Outcome.FILLED, 0) == []
    assert flights.take(KEY, bool) == []


def test_each_follower_is_asked_once_whether_the_response_fits() -> None:
    flights, asked = flight(10), []
    assert flights.take(KEY, lambda each: asked.append(each) is None and each % 2 == 0) == [0, 2, 4, 6, 8]
    assert asked == list(range(10))
    assert flights.waiting(KEY) == 5
