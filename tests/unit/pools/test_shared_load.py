"""Workers that add up the attempts in flight at the members of a pool."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from adc.http.headers import Headers
from adc.http.message import Request
from adc.pools.balancers.registry import make_balancer
from adc.pools.balancers.turns import Turns
from adc.pools.errors import Failure
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.shared_load import BYTES, WORKERS, SharedLoads

GET = Request("GET", "/", "/", "", "a", "a", Headers())


@pytest.fixture
def cells() -> memoryview[int]:
    return memoryview(bytearray(BYTES)).cast("q")


class Worker:
    """One of two workers, with a pool that balances by load."""

    def __init__(
        self,
        cells: memoryview[int],
        number: int,
        turns: list[int],
        addresses: Sequence[str] = ("a", "b"),
        algorithm: str = "least_connections",
    ) -> None:
        self.loads = SharedLoads(cells, number)
        self.pool = self.make(turns, addresses, algorithm)

    def make(self, turns: list[int], addresses: Sequence[str], algorithm: str) -> Pool:
        members = [Member("app", address) for address in addresses]
        shared = self.loads.of("app", addresses, 2)
        for member in members:
            member.shared = shared[member.address]
        return Pool("app", members, make_balancer(algorithm, {}, Random(1), Turns(turns)))

    def begin(self) -> Member:
        member = self.pool.pick(GET, 0.0)
        assert member is not None
        self.pool.started(member, 0.0)
        return member

    def end(self, member: Member) -> None:
        self.pool.finished(member, 0.0, Failure.CLIENT_GONE, 0.0)


def test_least_connections_counts_those_of_other_workers(cells):
    one, other = (Worker(cells, number, [0]) for number in (0, 1))
    assert one.begin().address != other.begin().address
    left = one.begin()
    assert other.begin().address != left.address
    for member in one.pool.members:
        assert member.in_flight() == 2
    one.end(left)
    assert other.begin().address == left.address


def test_idle_members_take_turns_over_all_workers(cells):
    turns = [0]
    workers = [Worker(cells, number, turns) for number in (0, 1)]
    chosen = []
    for place in range(4):
        worker = workers[place % 2]
        member = worker.begin()
        chosen.append(member.address)
        worker.end(member)
    assert chosen == ["a", "b", "a", "b"]


def test_power_of_two_counts_those_of_other_workers(cells):
    one, other = (Worker(cells, number, [0], algorithm="power_of_two") for number in (0, 1))
    for _ in range(20):
        one.begin()
        other.begin()
    a, b = (member.in_flight() for member in one.pool.members)
    assert a + b == 40
    assert abs(a - b) <= 10


def test_reload_keeps_the_count_of_what_is_in_flight(cells):
    one, other = (Worker(cells, number, [0]) for number in (0, 1))
    held = one.begin()
    successor = one.make([0], ("c", held.address), "least_connections")
    successor.adopt(one.pool, 0.0)
    one.pool = successor
    assert next(each for each in other.pool.members if each.address == held.address).in_flight() == 1
    one.end(held)
    assert all(member.in_flight() == 0 for member in other.pool.members)


def test_algorithm_that_does_not_share_takes_its_attempts_along(cells):
    one, other = (Worker(cells, number, [0]) for number in (0, 1))
    held = one.begin()
    successor = Pool(
        "app", [Member("app", "a"), Member("app", "b")], make_balancer("round_robin", {}, Random(1))
    )
    successor.adopt(one.pool, 0.0)
    assert all(member.in_flight() == 0 for member in other.pool.members)
    one.end(held)
    assert all(member.in_flight() == 0 for member in other.pool.members)


@pytest.mark.parametrize("leaves", [True, False])
def test_worker_that_leaves_or_died_counts_no_more(cells, leaves):
    one, other = (Worker(cells, number, [0]) for number in (0, 1))
    held = one.begin()
    if leaves:
        one.loads.leave()
    successor = Worker(cells, 0, [0])
    assert all(member.in_flight() == 0 for member in other.pool.members)
    if leaves:
        one.end(held)
    assert all(member.in_flight() == 0 for worker in (other, successor) for member in worker.pool.members)


def test_members_of_a_pool_have_places_of_their_own(cells):
    loads = SharedLoads(cells, 0)
    addresses = [f"10.0.{number // 250}.{number % 250}:80" for number in range(1000)]
    for address, shared in loads.of("app", addresses, 2).items():
        shared.add(int(address.rpartition(".")[2].partition(":")[0]) + 1)
    seen = [shared.elsewhere() for shared in SharedLoads(cells, 1).of("app", addresses, 2).values()]
    assert sorted(seen) == sorted(number % 250 + 1 for number in range(1000))


@pytest.mark.parametrize(("workers", "number"), [(1, 0), (WORKERS + 1, WORKERS)])
def test_worker_that_counts_alone(cells, workers, number):
    assert SharedLoads(cells, number).of("app", ["a"], workers) == {}
