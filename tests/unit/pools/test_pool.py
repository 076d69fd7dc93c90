"""Which member a pool picks, and how states, limits and reloads change that."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from adc.http.headers import Headers
from adc.http.message import Request
from adc.pools.balancers.first import First
from adc.pools.balancers.power_of_two import PowerOfTwo
from adc.pools.balancers.round_robin import RoundRobin
from adc.pools.errors import Failure
from adc.pools.limits import Limits
from adc.pools.member import Admin, Health, Member
from adc.pools.outlier import Outlier
from adc.pools.pool import Pool

GET = Request("GET", "/", "/", "", "a", "a", Headers())


def members(*addresses: str, backup: tuple[str, ...] = ()) -> list[Member]:
    return [Member("app", address) for address in addresses] + [
        Member("app", address, backup=True) for address in backup
    ]


def picks(pool: Pool, count: int, now: float = 0.0) -> list[str | None]:
    found = [pool.pick(GET, now) for _ in range(count)]
    return [member.address if member else None for member in found]


def test_members_are_used_before_anything_is_known_of_their_health():
    assert picks(Pool("app", members("a", "b"), RoundRobin()), 4) == ["a", "b", "a", "b"]


def test_a_member_that_is_down_is_left_out_and_comes_back():
    pool = Pool("app", members("a", "b"), RoundRobin())
    pool.set_health(pool.members[0], Health.DOWN, 1.0, "connection refused")
    assert set(picks(pool, 4, 1.0)) == {"b"}
    pool.set_health(pool.members[0], Health.UP, 2.0)
    assert set(picks(pool, 4, 2.0)) == {"a", "b"}


def test_a_change_of_state_is_dated_explained_and_announced():
    told: list[tuple[str, str, str]] = []
    pool = Pool(
        "app",
        members("a"),
        First(),
        changed=lambda member, before: told.append((before, member.state, member.reason)),
    )
    pool.set_health(pool.members[0], Health.DOWN, 7.0, "status 500")
    pool.set_health(pool.members[0], Health.DOWN, 8.0, "status 500")
    assert told == [("unknown", "down", "status 500")]
    assert pool.members[0].since == 7.0


def test_ejected_member_that_passes_its_checks_again_serves():
    pool = Pool("app", members("a", "b"), RoundRobin(), outlier=Outlier())
    a = pool.members[0]
    pool.eject(a, 0.0, "asked")
    pool.set_health(a, Health.UP, 1.0)
    assert a.ejected
    pool.set_health(a, Health.DOWN, 2.0)
    pool.set_health(a, Health.UP, 3.0)
    assert set(picks(pool, 4, 3.0)) == {"a", "b"}


def test_backups_serve_only_while_no_primary_does():
    pool = Pool("app", members("a", backup=("spare",)), RoundRobin())
    assert set(picks(pool, 3)) == {"a"}
    pool.set_health(pool.members[0], Health.DOWN, 1.0)
    assert set(picks(pool, 3, 1.0)) == {"spare"}


def test_a_retry_goes_to_a_backup_when_all_primaries_have_been_tried():
    pool = Pool("app", members("a", "b", backup=("busy", "idle")), RoundRobin())
    a, b, busy, idle = pool.members
    busy.active = 3
    assert pool.pick(GET, 0.0, (a,)) is b
    assert pool.pick(GET, 0.0, (a, b)) is idle
    assert pool.pick(GET, 0.0, (a, b, busy, idle)) is None


def test_no_available_member_is_none_and_counted():
    pool = Pool("app", members("a"), RoundRobin())
    pool.set_health(pool.members[0], Health.DOWN, 0.0)
    assert pool.pick(GET, 0.0) is None
    assert pool.unserved == 1
    assert pool.beside(()) == []


def test_a_pool_without_members_serves_nobody():
    assert Pool("app", [], PowerOfTwo(Random(1))).pick(GET, 0.0) is None


def test_weight_zero_gets_no_new_clients_but_keeps_its_pins():
    pool = Pool("app", [Member("app", "a", weight=0), Member("app", "b")], RoundRobin())
    assert set(picks(pool, 4)) == {"b"}
    assert pool.members[0].pinnable


@pytest.mark.parametrize(
    ("admin", "pinnable"), [(Admin.DRAINING, True), (Admin.DISABLED, False), (Admin.ENABLED, True)]
)
def test_draining_keeps_pins_and_disabled_does_not(admin: Admin, pinnable: bool):
    pool = Pool("app", members("a", "b"), RoundRobin())
    pool.set_admin(pool.members[0], admin, 0.0)
    assert pool.members[0].pinnable is pinnable
    assert ("a" in picks(pool, 4)) is (admin is Admin.ENABLED)


class TestPanic:
    def test_all_enabled_members_serve_below_the_threshold(self):
        pool = Pool("app", members("a", "b", "c", "off"), RoundRobin(), panic=0.5)
        pool.set_admin(pool.members[3], Admin.DISABLED, 0.0)
        pool.set_health(pool.members[0], Health.DOWN, 0.0)
        assert not pool.panicking
        pool.set_health(pool.members[1], Health.DOWN, 0.0)
        assert pool.panicking
        assert set(picks(pool, 6)) == {"a", "b", "c"}

    def test_backups_come_before_panic(self):
        pool = Pool("app", members("a", "b", backup=("spare",)), RoundRobin(), panic=0.5)
        for member in pool.members[:2]:
            pool.set_health(member, Health.DOWN, 0.0)
        assert set(picks(pool, 3)) == {"spare"}

    def test_off_by_default(self):
        pool = Pool("app", members("a"), RoundRobin())
        pool.set_health(pool.members[0], Health.DOWN, 0.0)
        assert not pool.panicking


class TestLimits:
    def test_a_full_member_is_passed_over_and_a_full_pool_waits(self):
        pool = Pool("app", members("a", "b"), First(), limits=Limits(connections_per_member=1))
        a, b = pool.members
        pool.started(a, 0.0)
        assert pool.pick(GET, 0.0) is b
        pool.started(b, 0.0)
        assert pool.pick(GET, 0.0) is None
        assert pool.beside(()) == [a, b]
        pool.finished(a, 1.0, 200, 1.0)
        assert pool.pick(GET, 1.0) is a

    def test_a_full_backup_is_no_refuge_for_a_retry(self):
        pool = Pool("app", members("a", backup=("spare",)), First(), limits=Limits(connections_per_member=1))
        a, spare = pool.members
        pool.started(spare, 0.0)
        assert pool.pick(GET, 0.0, (a,)) is None

    def test_queue_and_breaker_exist_only_when_limits_ask_for_them(self):
        plain = Pool("app", members("a"), First())
        assert plain.queue is None
        assert plain.breaker is None
        limited = Pool("app", members("a"), First(), limits=Limits(queue=2, requests=5))
        assert limited.queue is not None
        assert limited.queue.limit == 2
        assert limited.breaker is not None


class TestCounters:
    def test_attempts_are_counted_for_member_and_pool(self):
        pool = Pool("app", members("a"), First())
        member = pool.members[0]
        pool.started(member, 0.0)
        pool.started(member, 0.0)
        assert (member.active, pool.active, member.requests) == (2, 2, 2)
        pool.finished(member, 0.0, 200, 0.1)
        pool.finished(member, 0.0, Failure.CONNECTION_REFUSED, 0.1)
        assert (member.active, pool.active) == (0, 0)
        assert (member.failures, member.connect_failures) == (1, 1)

    def test_a_client_that_leaves_is_no_failure_of_the_member(self):
        pool = Pool("app", members("a"), First())
        pool.started(pool.members[0], 0.0)
        pool.finished(pool.members[0], 0.0, Failure.CLIENT_GONE, 0.1)
        assert pool.members[0].failures == 0

    def test_a_reset_is_a_failure_but_not_one_to_connect(self):
        pool = Pool("app", members("a"), First())
        pool.started(pool.members[0], 0.0)
        pool.finished(pool.members[0], 0.0, Failure.RESET, 0.1)
        assert (pool.members[0].failures, pool.members[0].connect_failures) == (1, 0)


class TestEjection:
    def pool(self) -> Pool:
        return Pool("app", members("a", "b"), RoundRobin(), outlier=Outlier(failures=2, eject=30.0))

    def fail(self, pool: Pool, member: Member, now: float) -> None:
        for _ in range(2):
            pool.started(member, now)
            pool.finished(member, now, Failure.RESET, 0.1)

    def test_a_failing_member_is_left_out_and_returns_when_its_time_is_over(self):
        pool = self.pool()
        self.fail(pool, pool.members[0], 0.0)
        assert pool.members[0].state == "ejected"
        assert pool.members[0].reason == "passive: reset"
        assert set(picks(pool, 4, 29.9)) == {"b"}
        assert set(picks(pool, 4, 30.0)) == {"a", "b"}

    def test_the_ceiling_keeps_the_rest_of_the_pool_in(self):
        pool = self.pool()
        for member in pool.members:
            self.fail(pool, member, 0.0)
        assert [member.ejected for member in pool.members] == [True, False]

    def test_the_last_member_that_serves_stays_in(self):
        pool = self.pool()
        pool.set_health(pool.members[1], Health.DOWN, 0.0)
        self.fail(pool, pool.members[0], 0.0)
        assert set(picks(pool, 2)) == {"a"}

    def test_with_a_backup_even_the_last_primary_may_go(self):
        pool = Pool("app", members("a", backup=("spare",)), RoundRobin(), outlier=Outlier(failures=2))
        self.fail(pool, pool.members[0], 0.0)
        assert set(picks(pool, 2)) == {"spare"}

    def test_an_ejected_member_is_the_last_resort_of_a_retry(self):
        pool = Pool("app", members("a", "b", backup=("spare",)), RoundRobin(), outlier=Outlier(failures=2))
        a, b, spare = pool.members
        self.fail(pool, a, 0.0)
        assert pool.pick(GET, 1.0, (b,)) is spare
        assert pool.pick(GET, 1.0, (b, spare)) is a
        assert pool.pick(GET, 1.0, (a, b, spare)) is None

    def test_an_ejected_member_serves_when_all_others_fail_their_checks(self):
        pool = self.pool()
        a, b = pool.members
        self.fail(pool, a, 0.0)
        pool.set_health(b, Health.DOWN, 1.0)
        assert picks(pool, 2, 1.0) == ["a", "a"]

    def test_an_ejected_member_that_fails_its_checks_is_no_resort(self):
        pool = self.pool()
        a, b = pool.members
        self.fail(pool, a, 0.0)
        pool.set_health(a, Health.DOWN, 1.0)
        assert pool.pick(GET, 1.0, (b,)) is None

    def test_success_of_an_attempt_begun_after_the_ejection_ends_it(self):
        pool = self.pool()
        a, b = pool.members
        pool.started(a, 0.0)
        self.fail(pool, a, 0.0)
        pool.finished(a, 2.0, 200, 2.0)  # begun before
        assert a.ejected
        pool.started(a, 3.0)
        pool.finished(a, 3.1, 503, 0.1)
        assert a.ejected
        pool.started(a, 3.0)
        pool.finished(a, 3.1, 200, 0.1)
        assert not a.ejected
        self.fail(pool, b, 4.0)
        assert picks(pool, 2, 4.0) == ["a", "a"]

    def test_without_passive_health_nothing_is_ejected(self):
        pool = Pool("app", members("a", "b"), RoundRobin())
        assert not pool.eject(pool.members[0], 0.0, "asked")


class TestSlowStart:
    def test_a_recovered_member_gets_little_at_first_and_its_part_in_the_end(self):
        pool = Pool("app", members("a", "b"), RoundRobin(), slow_start=20.0)
        pool.set_health(pool.members[0], Health.DOWN, 0.0)
        pool.set_health(pool.members[0], Health.UP, 100.0)
        assert Counter(picks(pool, 110, 100.0))["a"] == 10
        assert Counter(picks(pool, 150, 110.5))["a"] == 50
        assert Counter(picks(pool, 100, 120.0))["a"] == 50

    def test_members_known_since_the_start_have_their_full_part(self):
        pool = Pool("app", members("a", "b"), RoundRobin(), slow_start=20.0)
        assert Counter(picks(pool, 10)) == {"a": 5, "b": 5}

    def test_a_member_added_by_a_reload_starts_slowly(self):
        old = Pool("app", members("a"), RoundRobin())
        new = Pool("app", members("a", "b"), RoundRobin(), slow_start=20.0)
        new.adopt(old, 50.0)
        assert Counter(picks(new, 110, 50.0))["b"] == 10


class TestAdopt:
    def test_members_keep_their_identity_and_take_the_new_weight(self):
        old = Pool("app", members("a", "b"), RoundRobin())
        a, b = old.members
        a.requests = 9
        new = Pool("app", [Member("app", "a", weight=3, backup=True), Member("app", "c")], RoundRobin())
        gone = new.adopt(old, 1.0)
        assert gone == [b]
        assert new.members[0] is a
        assert (a.weight, a.backup, a.requests) == (3, True, 9)

    def test_state_carries_over(self):
        old = Pool("app", members("a", "b"), RoundRobin())
        old.set_health(old.members[0], Health.DOWN, 0.0, "refused")
        new = Pool("app", members("a", "b"), RoundRobin())
        new.adopt(old, 1.0)
        assert set(picks(new, 4, 1.0)) == {"b"}
        assert new.members[0].reason == "refused"

    def test_health_is_forgotten_when_nobody_checks_any_more(self):
        old = Pool("app", members("a"), RoundRobin())
        old.set_health(old.members[0], Health.DOWN, 0.0)
        new = Pool("app", members("a"), RoundRobin())
        new.adopt(old, 1.0, checked=False)
        assert picks(new, 1, 1.0) == ["a"]

    def test_an_ejection_ends_with_the_passive_health_that_made_it(self):
        old = Pool("app", members("a", "b"), RoundRobin(), outlier=Outlier())
        assert old.eject(old.members[0], 0.0, "asked")
        new = Pool("app", members("a", "b"), RoundRobin())
        new.adopt(old, 1.0)
        assert set(picks(new, 4, 1.0)) == {"a", "b"}

    def test_an_ejection_outlives_a_reload(self):
        old = Pool("app", members("a", "b"), RoundRobin(), outlier=Outlier())
        old.eject(old.members[0], 0.0, "asked")
        new = Pool("app", members("a", "b"), RoundRobin(), outlier=Outlier())
        new.adopt(old, 1.0)
        assert set(picks(new, 4, 1.0)) == {"b"}
        assert set(picks(new, 4, 31.0)) == {"a", "b"}

    def test_a_pool_that_shrinks_takes_back_those_over_the_ceiling(self):
        old = Pool("app", members("a", "b", "c", "d"), RoundRobin(), outlier=Outlier())
        old.eject(old.members[0], 0.0, "asked")
        old.eject(old.members[1], 1.0, "asked")
        new = Pool("app", members("a", "b"), RoundRobin(), outlier=Outlier())
        new.adopt(old, 2.0)
        assert set(picks(new, 4, 2.0)) == {"a"}

    def test_attempts_that_end_on_the_old_pool_teach_the_new_one(self):
        old = Pool("app", members("a", "b"), RoundRobin(), outlier=Outlier(failures=1))
        a = old.members[0]
        old.started(a, 0.0)
        new = Pool("app", members("a", "b"), RoundRobin(), outlier=Outlier(failures=1))
        new.adopt(old, 1.0)
        old.finished(a, 2.0, Failure.RESET, 2.0)
        assert a.active == 0
        assert set(picks(new, 4, 2.0)) == {"b"}

    def test_even_after_another_reload(self):
        pools = [Pool("app", members("a", "b"), RoundRobin(), outlier=Outlier(failures=1)) for _ in range(3)]
        a = pools[0].members[0]
        pools[0].started(a, 0.0)
        pools[1].adopt(pools[0], 1.0)
        pools[2].adopt(pools[1], 2.0)
        pools[0].finished(a, 3.0, Failure.RESET, 3.0)
        assert set(picks(pools[2], 4, 3.0)) == {"b"}

    def test_waiters_stay_in_the_queue(self):
        old = Pool("app", members("a"), RoundRobin(), limits=Limits(queue=1))
        new = Pool("app", members("a"), RoundRobin(), limits=Limits(queue=5))
        assert old.queue is not None
        old.queue.push("waiter", 9.0)
        new.adopt(old, 1.0)
        assert new.queue is not None
        assert new.queue.pop(1.0) == "waiter"
        assert new.queue.limit == 5

    def test_an_address_listed_twice_is_carried_over_once(self):
        old = Pool("app", members("a"), RoundRobin())
        new = Pool("app", members("a", "a"), RoundRobin())
        new.adopt(old, 1.0)
        assert new.members[0] is old.members[0]
        assert new.members[1] is not old.members[0]
