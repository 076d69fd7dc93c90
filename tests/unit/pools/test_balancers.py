"""What each balancer is for, shown on a few members."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from adc.http.client import Client, Flow
from adc.http.headers import Headers
from adc.http.message import Request
from adc.pools.balancers.consistent_hash import ConsistentHash
from adc.pools.balancers.keys import compile_key
from adc.pools.balancers.least_connections import LeastConnections
from adc.pools.balancers.least_response_time import LeastResponseTime
from adc.pools.balancers.power_of_two import PowerOfTwo
from adc.pools.balancers.random import RandomChoice
from adc.pools.balancers.registry import BALANCERS, make_balancer
from adc.pools.balancers.round_robin import RoundRobin
from adc.pools.balancers.source_hash import SourceHash
from adc.pools.errors import Failure
from adc.pools.member import Member


def request(client: str = "192.0.2.1", path: str = "/", query: str = "", **fields: str) -> Request:
    headers = Headers([(name.encode(), value.encode()) for name, value in fields.items()])
    return Request("GET", path, path, query, "a", "a", headers, source=client)


def weighted(*weights: int) -> tuple[Member, ...]:
    return tuple(Member("app", f"m{i}", weight=weight) for i, weight in enumerate(weights))


GET = request()


class TestRoundRobin:
    def test_weights_are_spread_over_the_cycle_instead_of_served_in_a_row(self):
        balancer, members = RoundRobin(), weighted(5, 1, 1)
        balancer.prepare(members)
        assert "".join(balancer.pick(members, GET).address[1] for _ in range(7)) == "0010200"

    def test_members_left_after_exclusion_still_take_turns(self):
        balancer, members = RoundRobin(), weighted(1, 1, 1)
        balancer.prepare(members)
        assert Counter(balancer.pick(members[1:], GET) for _ in range(10)) == {members[1]: 5, members[2]: 5}

    def test_a_member_that_joins_does_not_reset_the_credit_of_the_others(self):
        balancer, members = RoundRobin(), weighted(3, 1)
        balancer.prepare(members)
        first = [balancer.pick(members, GET).address for _ in range(2)]
        balancer.prepare(members)
        rest = [balancer.pick(members, GET).address for _ in range(2)]
        assert Counter(first + rest) == {"m0": 3, "m1": 1}


class TestLeastConnections:
    def test_the_least_loaded_for_its_weight_is_chosen(self):
        balancer, members = LeastConnections(), weighted(1, 4)
        balancer.prepare(members)
        members[0].active, members[1].active = 1, 3
        assert balancer.pick(members, GET) is members[1]
        members[1].active = 5
        assert balancer.pick(members, GET) is members[0]

    def test_an_idle_pool_is_used_by_weight(self):
        balancer, members = LeastConnections(), weighted(3, 1)
        balancer.prepare(members)
        assert Counter(balancer.pick(members, GET).address for _ in range(40)) == {"m0": 30, "m1": 10}


class TestDraws:
    @pytest.mark.parametrize("make", [RandomChoice, PowerOfTwo])
    @pytest.mark.parametrize("weights", [(1, 1, 1, 1), (1, 2, 3, 4)])
    def test_idle_members_are_drawn_by_weight(self, make, weights: tuple[int, ...]):
        balancer, members = make(Random(7)), weighted(*weights)
        balancer.prepare(members)
        found = Counter(balancer.pick(members, GET) for _ in range(4000))
        for member in members:
            assert found[member] == pytest.approx(4000 * member.weight / sum(weights), rel=0.15)

    @pytest.mark.parametrize("weights", [(1, 1), (1, 100)])
    def test_two_choices_never_take_the_busier_of_two(self, weights: tuple[int, ...]):
        balancer, members = PowerOfTwo(Random(7)), weighted(*weights)
        balancer.prepare(members)
        members[0].active = 1
        assert {balancer.pick(members, GET) for _ in range(100)} == {members[1]}

    def test_one_member_needs_no_second_choice(self):
        balancer, members = PowerOfTwo(Random(7)), weighted(2)
        balancer.prepare(members)
        assert balancer.pick(members, GET) is members[0]


class TestLeastResponseTime:
    def test_the_quicker_member_gets_more(self):
        balancer, members = LeastResponseTime(), weighted(1, 1)
        balancer.prepare(members)
        balancer.observe(members[0], 1.0, 200, 0.1)
        balancer.observe(members[1], 1.0, 200, 0.01)
        assert balancer.pick(members, GET) is members[1]
        members[1].active = 20
        assert balancer.pick(members, GET) is members[0]

    def test_failing_quickly_is_not_being_quick(self):
        balancer, members = LeastResponseTime(), weighted(1, 1, 1)
        balancer.prepare(members)
        balancer.observe(members[0], 1.0, Failure.CONNECTION_REFUSED, 0.001)
        balancer.observe(members[1], 1.0, 503, 0.001)
        balancer.observe(members[2], 1.0, 200, 0.1)
        assert balancer.pick(members, GET) is members[2]

    def test_response_aborted_by_the_client_teaches_nothing(self):
        balancer, members = LeastResponseTime(), weighted(1)
        balancer.observe(members[0], 1.0, Failure.CLIENT_GONE, 9.0)
        assert members[0].ewma == 0.0

    def test_a_member_that_was_slow_once_is_tried_again_after_a_while(self):
        balancer, members = LeastResponseTime(), weighted(1, 1)
        balancer.prepare(members)
        balancer.observe(members[0], 0.0, 200, 1.0)
        for second in range(60):
            balancer.observe(members[1], float(second), 200, 0.01)
        assert balancer.pick(members, GET) is members[0]

    def test_a_new_member_gets_work_but_no_flood(self):
        balancer, members = LeastResponseTime(), weighted(1, 1)
        balancer.prepare(members)
        balancer.observe(members[0], 0.0, 200, 0.1)
        for _ in range(20):
            balancer.pick(members, GET).active += 1
        assert [member.active for member in members] == [10, 10]

    def test_the_average_moves_towards_new_times(self):
        balancer, members = LeastResponseTime(), weighted(1)
        balancer.observe(members[0], 0.0, 200, 1.0)
        balancer.observe(members[0], 0.0, 200, 2.0)
        assert members[0].ewma == pytest.approx(1.05)


class TestHashes:
    def test_one_client_stays_with_its_member_while_others_spread(self):
        balancer, members = SourceHash(), weighted(1, 1, 1)
        balancer.prepare(members)
        assert len({balancer.pick(members, request("198.51.100.7")) for _ in range(20)}) == 1
        assert len({balancer.pick(members, request(f"198.51.100.{i}")) for i in range(60)}) == 3

    def test_the_choice_is_the_same_in_every_process(self):
        balancer, members = SourceHash(), weighted(1, 1, 1, 1)
        balancer.prepare(members)
        chosen = [balancer.pick(members, request(f"198.51.100.{i}")).address for i in range(8)]
        assert chosen == ["m2", "m3", "m3", "m1", "m1", "m1", "m0", "m2"]

    def test_an_excluded_owner_is_replaced_by_one_and_the_same(self):
        balancer, members = SourceHash(), weighted(1, 1, 1, 1)
        balancer.prepare(members)
        owner = balancer.pick(members, GET)
        left = [member for member in members if member is not owner]
        assert len({balancer.pick(left, GET) for _ in range(5)}) == 1

    def test_a_hot_key_overflows_to_the_next_of_its_own_order(self):
        balancer, members = ConsistentHash(compile_key("path"), load=1.25), weighted(1, 1, 1, 1)
        balancer.prepare(members)
        for _ in range(40):
            balancer.pick(members, request(path="/hot")).active += 1
        assert sorted(member.active for member in members) == [2, 12, 13, 13]

    def test_bound_moves_nothing_at_low_load(self):
        balancer, members = ConsistentHash(compile_key("path"), load=1.0), weighted(1, 1, 1)
        balancer.prepare(members)
        for number in range(200):
            owner = balancer.pick(members, request(path=f"/{number}"))
            for busy in members:
                busy.active = 2
                assert balancer.pick(members, request(path=f"/{number}")) is owner
                busy.active = 0

    def test_load_below_one_is_refused(self):
        with pytest.raises(ValueError, match="at least 1"):
            ConsistentHash(compile_key("path"), load=0.9)


class TestKeys:
    @pytest.mark.parametrize(
        ("text", "carrier", "key"),
        [
            ("source", request("192.0.2.9"), b"192.0.2.9"),
            ("path", request(path="/a/b"), b"/a/b"),
            ("header:X-User", request(**{"x-user": "kim"}), b"kim"),
            ("cookie:sid", request(cookie="a=1; sid=77; sid=88"), b"77"),
            ("query:id", request(query="x=1&id=%7E5&id=6"), b"~5"),
        ],
    )
    def test_the_named_part_is_the_key(self, text: str, carrier: Request, key: bytes):
        assert compile_key(text)(carrier) == key

    @pytest.mark.parametrize("text", ["header:x-user", "cookie:sid", "query:id"])
    @pytest.mark.parametrize(
        "carrier", [request(), request(query="id=", cookie="sid=", **{"x-user": ""}), request(query="ID=2")]
    )
    def test_without_it_the_client_address_is(self, text: str, carrier: Request):
        assert compile_key(text)(carrier) == b"192.0.2.1"

    @pytest.mark.parametrize("text", ["", "header", "header:", "host:x", "source:x", "path:/x"])
    def test_anything_else_is_an_error_that_lists_the_kinds(self, text: str):
        with pytest.raises(ValueError, match="use source, path, header:NAME"):
            compile_key(text)


class TestRegistry:
    @pytest.mark.parametrize("name", BALANCERS)
    def test_each_name_makes_a_balancer_that_picks(self, name: str):
        balancer, members = make_balancer(name, {}, Random(1)), weighted(1, 2)
        balancer.prepare(members)
        assert balancer.pick(members, GET) in members

    @pytest.mark.parametrize("name", BALANCERS)
    def test_each_balancer_picks_for_a_flow_that_is_no_request(self, name: str):
        balancer, members = make_balancer(name, {}, Random(1), requests=False), weighted(1, 2)
        balancer.prepare(members)
        flow = Flow(Client("192.0.2.1"))
        assert balancer.pick(members, flow) in members

    @pytest.mark.parametrize("key", ["path", "header:x-user", "cookie:sid", "query:id"])
    def test_a_key_of_requests_is_rejected_where_flows_are_no_requests(self, key: str):
        with pytest.raises(ValueError, match="is part of an HTTP request; use source"):
            make_balancer("consistent_hash", {"key": key}, Random(1), requests=False)
        assert compile_key(key)(Flow(Client("192.0.2.1"))) == b"192.0.2.1"

    def test_options_reach_the_hash(self):
        balancer = make_balancer("consistent_hash", {"key": "header:x-user", "load": 2.0}, Random(1))
        members = weighted(1, 1, 1, 1)
        balancer.prepare(members)
        users = {balancer.pick(members, request(**{"x-user": str(i)})) for i in range(40)}
        assert users == set(members)

    def test_an_unknown_name_is_an_error_that_lists_the_known_ones(self):
        with pytest.raises(ValueError, match="unknown balancer 'fastest'; use consistent_hash"):
            make_balancer("fastest", {}, Random(1))
