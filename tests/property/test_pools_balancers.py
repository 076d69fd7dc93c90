"""What holds for balancers whatever the members, weights and keys."""

from __future__ import annotations

from collections import Counter
from math import ceil
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc.http.headers import Headers
from adc.http.message import Request
from adc.pools.balancers.consistent_hash import LEAST, ConsistentHash
from adc.pools.balancers.keys import compile_key
from adc.pools.balancers.registry import BALANCERS, make_balancer
from adc.pools.balancers.round_robin import RoundRobin
from adc.pools.balancers.source_hash import SourceHash
from adc.pools.member import Member

KEYS = 2000
weights = st.lists(st.integers(1, 50), min_size=1, max_size=8)
names = st.lists(
    st.text("abcdefghijklmnop0123456789.:-", min_size=1, max_size=20), min_size=11, max_size=11, unique=True
)


def get(path: str) -> Request:
    return Request("GET", path, path, "", "a", "a", Headers(), source=path)


REQUESTS = [get(f"/{i}") for i in range(KEYS)]


def owners(members: list[Member]) -> list[Member]:
    balancer = ConsistentHash(compile_key("path"))
    balancer.prepare(members)
    return [balancer.pick(members, request) for request in REQUESTS]


@settings(max_examples=10, deadline=None)
@given(names)
def test_a_member_added_to_ten_moves_few_keys_and_all_of_them_to_itself(addresses: list[str]):
    members = [Member("app", address) for address in addresses]
    moved = [
        after
        for before, after in zip(owners(members[:10]), owners(members), strict=True)
        if before is not after
    ]
    assert set(moved) == {members[10]}
    assert len(moved) <= 0.15 * KEYS


@settings(max_examples=10, deadline=None)
@given(weights.filter(lambda weights: len(weights) > 1), st.data())
def test_a_member_that_leaves_moves_its_own_keys_only(weights: list[int], data: st.DataObject):
    members = [Member("app", f"m{i}", weight=weight) for i, weight in enumerate(weights)]
    gone = data.draw(st.sampled_from(members))
    left = [member for member in members if member is not gone]
    for before, after in zip(owners(members), owners(left), strict=True):
        assert before is gone or before is after


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=5))
def test_keys_are_spread_by_weight(weights: list[int]):
    members = [Member("app", f"10.0.0.{i}:80", weight=weight) for i, weight in enumerate(weights)]
    found = Counter(owners(members))
    for member in members:
        assert found[member] == pytest.approx(KEYS * member.weight / sum(weights), rel=0.35, abs=20)


@settings(max_examples=50, deadline=None)
@given(weights, st.lists(st.integers(0, 5), max_size=120), st.floats(1.0, 2.0))
def test_bounded_load_holds_for_any_keys(weights: list[int], keys: list[int], load: float):
    members = [Member("app", f"m{i}", weight=weight) for i, weight in enumerate(weights)]
    balancer = ConsistentHash(compile_key("path"), load)
    balancer.prepare(members)
    for active, key in enumerate(keys, 1):
        member = balancer.pick(members, REQUESTS[key])
        member.active += 1
        bound = ceil(load * active * member.weight / sum(weights) * (1 + 1e-9))
        assert member.active <= max(LEAST, bound)


@settings(max_examples=30, deadline=None)
@given(weights, st.lists(st.integers(0, 50), min_size=8, max_size=8), st.sampled_from(["path", "source"]))
def test_member_of_a_key_does_not_depend_on_load(weights: list[int], loads: list[int], key: str):
    members = [Member("app", f"m{i}", weight=weight) for i, weight in enumerate(weights)]
    for balancer in (make_balancer("consistent_hash", {"key": key}, Random(1)), SourceHash()):
        balancer.prepare(members)
        before = [balancer.pick(members, request) for request in REQUESTS[:50]]
        for member, load in zip(members, loads, strict=False):
            member.active = load
        assert [balancer.pick(members, request) for request in REQUESTS[:50]] == before


@given(weights, st.integers(0, 30))
def test_round_robin_is_exact_over_any_full_cycle(weights: list[int], skipped: int):
    members = [Member("app", f"m{i}", weight=weight) for i, weight in enumerate(weights)]
    balancer = RoundRobin()
    balancer.prepare(members)
    for _ in range(skipped):
        balancer.pick(members, REQUESTS[0])
    found = Counter(balancer.pick(members, REQUESTS[0]) for _ in range(sum(weights)))
    expected = {member: member.weight for member in members}
    if len(set(weights)) == 1:  # plain rotation: a cycle is one round, and so is every multiple of it
        expected = dict.fromkeys(members, weights[0])
    assert found == expected


@pytest.mark.parametrize("name", BALANCERS)
@settings(max_examples=20, deadline=None)
@given(weights=weights, data=st.data())
def test_no_balancer_leaves_the_members_it_was_offered(name: str, weights: list[int], data: st.DataObject):
    members = tuple(Member("app", f"m{i}", weight=weight) for i, weight in enumerate(weights))
    balancer = make_balancer(name, {}, Random(data.draw(st.integers(0, 99))))
    balancer.prepare(members)
    for request in REQUESTS[:20]:
        offered = members
        if data.draw(st.booleans()):
            offered = data.draw(st.lists(st.sampled_from(members), min_size=1, unique=True))
        member = balancer.pick(offered, request)
        assert member in offered
        member.active += data.draw(st.integers(0, 3))


@pytest.mark.parametrize("name", BALANCERS)
@settings(max_examples=20, deadline=None)
@given(weights=weights, seed=st.integers(0, 999))
def test_one_seed_gives_one_sequence(name: str, weights: list[int], seed: int):
    def sequence() -> list[str]:
        members = tuple(Member("app", f"m{i}", weight=weight) for i, weight in enumerate(weights))
        balancer = make_balancer(name, {}, Random(seed))
        balancer.prepare(members)
        return [balancer.pick(members, request).address for request in REQUESTS[:30]]

    assert sequence() == sequence()
