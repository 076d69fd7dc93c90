"""Pins of clients below HTTP: the member of a client, and what follows when it does not serve."""

import pytest

from adc.http.client import Client, Flow
from adc.l4 import pins as module
from adc.l4.pins import Pins
from adc.persistence.decide import Stickiness
from adc.persistence.pin import merge_pins
from adc.persistence.source import source_key
from adc.persistence.table import TablePersistence
from adc.pools.balancers.first import First
from adc.pools.errors import Failure
from adc.pools.member import Health, Member
from adc.pools.pool import Pool
from adc.state.memory import MemoryStore

NOW = 1000.0


def pool_of(*addresses, **options):
    return Pool("app", [Member("app", address) for address in addresses], First(), **options)


def flow_of(host):
    return Flow(Client(host, "udp"))


def pins_of(fallback="rebalance"):
    table = MemoryStore().table("persistence.app", 100, merge_pins)
    stickiness = Stickiness(60.0, fallback=fallback)
    return Pins(TablePersistence(table, source_key(), stickiness), stickiness, lambda: NOW)


ANN, BOB = flow_of("192.0.2.1"), flow_of("192.0.2.2")


def test_client_returns_to_its_member_and_others_may_go_anywhere():
    pins, pool = pins_of(), pool_of("10.0.0.1:53", "10.0.0.2:53")
    second = pool.members[1]
    assert pins.member(pool, ANN, NOW) is None
    assert pins.assign(pool, ANN, second) is second
    assert pins.member(pool, ANN, NOW) is second
    assert pins.member(pool, BOB, NOW) is None


def test_client_pinned_by_another_worker_meanwhile_follows_that_pin():
    pins, pool = pins_of(), pool_of("10.0.0.1:53", "10.0.0.2:53")
    first, second = pool.members
    pins.assign(pool, ANN, second)
    assert pins.assign(pool, ANN, first) is second


@pytest.mark.parametrize(("fallback", "found"), [("rebalance", None), ("error", Failure.NO_MEMBER)])
def test_client_of_a_member_that_is_down_moves_or_is_refused(fallback, found):
    pins, pool = pins_of(fallback), pool_of("10.0.0.1:53", "10.0.0.2:53")
    second = pool.members[1]
    pins.assign(pool, ANN, second)
    pool.set_health(second, Health.DOWN, NOW)
    assert pins.member(pool, ANN, NOW) is found


def test_client_stays_with_a_member_that_is_down_while_all_members_serve():
    pins, pool = pins_of(), pool_of("10.0.0.1:53", "10.0.0.2:53", panic=0.6)
    second = pool.members[1]
    pins.assign(pool, ANN, second)
    pool.set_health(second, Health.DOWN, NOW)
    assert pool.panicking
    assert pins.member(pool, ANN, NOW) is second


class Elsewhere:
    """A persistence whose pins only another machine may know."""

    def __init__(self):
        self.asked = []

    def pinned(self, flow, wall):
        return module.PENDING

    def fetch(self, flow, wall, done):
        self.asked.append(done)


def test_pin_that_another_machine_may_know_is_asked_for_only_where_the_flow_can_wait():
    elsewhere, pool = Elsewhere(), pool_of("10.0.0.1:53")
    pins = Pins(elsewhere, Stickiness(60.0), lambda: NOW)
    assert pins.member(pool, ANN, NOW) is None
    assert not elsewhere.asked
    called = []
    assert pins.member(pool, ANN, NOW, lambda: called.append(1)) is Failure.CLIENT_GONE
    [done] = elsewhere.asked
    done(None)
    assert called == [1]


def test_members_are_named_once_for_all_clients_until_a_reload(monkeypatch):
    names = []
    member_id = module.member_id
    monkeypatch.setattr(module, "member_id", lambda *args: names.append(args) or member_id(*args))
    pins, pool = pins_of(), pool_of("10.0.0.1:53", "10.0.0.2:53")
    for number in range(50):
        flow = flow_of(f"192.0.2.{number}")
        if pins.member(pool, flow, NOW) is None:
            pins.assign(pool, flow, pool.members[0])
    assert len(names) == 2
    pins.member(pool_of("10.0.0.1:53", "10.0.0.2:53", "10.0.0.3:53"), ANN, NOW)
    assert len(names) == 5
