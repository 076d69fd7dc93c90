"""A pool under any order of checks, orders, failures, reloads and picks."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adc.http.headers import Headers
from adc.http.message import Request
from adc.pools.balancers.registry import BALANCERS, make_balancer
from adc.pools.errors import Failure
from adc.pools.limits import Limits
from adc.pools.member import Admin, Health, Member
from adc.pools.outlier import Outlier
from adc.pools.pool import Pool

MAX_EJECTED = 0.5
GET = Request("GET", "/", "/", "", "a", "a", Headers(), source="192.0.2.1")

member_lists = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 4), st.booleans()),
    min_size=1,
    max_size=6,
    unique_by=lambda member: member[0],
)
outcomes = st.sampled_from([200, 404, 503, Failure.RESET, Failure.CONNECTION_REFUSED, Failure.CLIENT_GONE])


class PoolMachine(RuleBasedStateMachine):
    """`in_flight` holds each attempt with the pool that started it, as the proxy does."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.in_flight: list[tuple[Pool, Member]] = []

    def make(self, members: list[tuple[str, int, bool]], balancer: str) -> Pool:
        return Pool(
            "app",
            [Member("app", address, weight=weight, backup=backup) for address, weight, backup in members],
            make_balancer(balancer, {}, Random(1)),
            limits=Limits(connections_per_member=self.cap),
            slow_start=self.slow_start,
            panic=self.panic,
            outlier=Outlier(failures=2, window=10.0, eject=3.0, max_ejected=MAX_EJECTED),
        )

    @initialize(
        members=member_lists,
        balancer=st.sampled_from(sorted(BALANCERS)),
        cap=st.sampled_from([0, 2]),
        slow_start=st.sampled_from([0.0, 8.0]),
        panic=st.sampled_from([0.0, 0.5, 1.0]),
    )
    def start(self, members, balancer: str, cap: int, slow_start: float, panic: float) -> None:
        self.cap, self.slow_start, self.panic = cap, slow_start, panic
        self.former: list[Pool] = []
        self.pool = self.make(members, balancer)

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0, 9.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(data=st.data(), health=st.sampled_from([Health.UP, Health.UP, Health.DOWN]))
    def check(self, data: st.DataObject, health: Health) -> None:
        self.pool.set_health(data.draw(st.sampled_from(self.pool.members)), health, self.now, "check")

    @rule(
        data=st.data(), admin=st.sampled_from([Admin.ENABLED, Admin.ENABLED, Admin.DRAINING, Admin.DISABLED])
    )
    def order(self, data: st.DataObject, admin: Admin) -> None:
        self.pool.set_admin(data.draw(st.sampled_from(self.pool.members)), admin, self.now, "order")

    @rule(data=st.data())
    def eject(self, data: st.DataObject) -> None:
        self.pool.eject(data.draw(st.sampled_from(self.pool.members)), self.now, "asked")

    @rule(data=st.data())
    def leave_one_that_is_ejected(self, data: st.DataObject) -> None:
        last = data.draw(st.sampled_from(self.pool.members))
        self.pool.eject(last, self.now, "asked")
        for member in self.pool.members:
            if member is not last:
                self.pool.set_health(member, Health.DOWN, self.now, "check")

    @rule(members=member_lists, balancer=st.sampled_from(sorted(BALANCERS)), checked=st.booleans())
    def reload(self, members, balancer: str, checked: bool) -> None:
        previous, self.pool = self.pool, self.make(members, balancer)
        self.former.append(previous)
        known = {member.address: member for member in previous.members}
        gone = self.pool.adopt(previous, self.now, checked=checked)
        for member in self.pool.members:
            assert known.pop(member.address, member) is member
        assert gone == list(known.values())

    @rule(count=st.integers(1, 6))
    def pick(self, count: int) -> None:
        for _ in range(count):
            self.pick_one(self.pool, [])

    @precondition(lambda self: self.former)
    @rule(data=st.data())
    def pick_for_who_began_before_a_reload(self, data: st.DataObject) -> None:
        self.pick_one(data.draw(st.sampled_from(self.former)), [])

    @rule(data=st.data())
    def pick_another(self, data: st.DataObject) -> None:
        self.pick_one(self.pool, data.draw(st.lists(st.sampled_from(self.pool.members), unique=True)))

    def pick_one(self, by: Pool, exclude: list[Member]) -> None:
        pool = self.pool
        member = by.pick(GET, self.now, exclude)
        if member is None:
            free = [
                m for m in pool.beside(()) if m not in exclude and not (self.cap and m.active >= self.cap)
            ]
            assert not free
            return
        assert member in pool.members
        assert member not in exclude
        assert not self.cap or member.active < self.cap
        assert member.weight > 0
        assert member.admin is Admin.ENABLED
        if member.ejected and not pool.panicking:
            assert not any(m.available and m not in exclude for m in pool.members)
            self.begin(by, member)
            return
        assert member.available or pool.panicking
        if member.backup and not pool.panicking:
            assert not any(m.available and not m.backup and m not in exclude for m in pool.members)
        self.begin(by, member)

    def begin(self, by: Pool, member: Member) -> None:
        by.started(member, self.now)
        self.in_flight.append((by, member))

    @precondition(lambda self: self.in_flight)
    @rule(results=st.lists(outcomes, min_size=1, max_size=6))
    def finish(self, results: list[int | Failure]) -> None:
        for outcome in results[: len(self.in_flight)]:
            pool, member = self.in_flight.pop(0)
            pool.finished(member, self.now, outcome, 0.1)

    @invariant()
    def attempts_add_up(self) -> None:
        for member in self.pool.members:
            assert member.active == sum(other is member for _, other in self.in_flight)
        assert self.pool.active == len(self.in_flight)

    @invariant()
    def states_agree(self) -> None:
        for member in self.pool.members:
            up = member.health is not Health.DOWN and not member.ejected
            assert member.available is (up and member.admin is Admin.ENABLED and member.weight > 0)
            assert member.pinnable is (up and member.admin is not Admin.DISABLED)
            assert 0 <= member.share <= member.weight

    @invariant()
    def members_serving_are_the_available_ones(self) -> None:
        available = [member for member in self.pool.members if member.available]
        primaries = [member for member in available if not member.backup]
        resort = [
            member
            for member in self.pool.members
            if member.ejected
            and member.health is not Health.DOWN
            and member.admin is Admin.ENABLED
            and member.weight > 0
        ]
        if not self.pool.panicking:
            assert self.pool.beside(()) == (primaries or available or resort)

    @invariant()
    def few_are_ejected(self) -> None:
        ejected = sum(member.ejected for member in self.pool.members)
        assert ejected <= len(self.pool.members) * MAX_EJECTED


TestPool = PoolMachine.TestCase
TestPool.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
