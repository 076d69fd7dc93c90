"""Whether a node that nothing probes lives, by the records that it writes."""

import asyncio

import pytest

from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.persistence.marks import Record
from adc.runtime.serve.peer import LIFE, ClusterPeer

ADDRESS = "192.0.2.2:7946"


@pytest.fixture
def clock():
    clock = Clock()
    clock.now, clock.wall = 100.0, 1_700_000_000.0
    return clock


@pytest.fixture
async def peer(clock):
    return ClusterPeer(Batch(asyncio.get_running_loop()), clock, ADDRESS)


def learn(peer, at, name="b"):
    record = Record(name, ADDRESS, int(at))
    assert peer.is_news(record)
    peer.learn(record)
    peer.judge()


def passes(clock, peer, seconds):
    clock.now += seconds
    clock.wall += seconds
    peer.judge()


async def test_first_record_is_judged_by_its_age(peer, clock):
    learn(peer, clock.wall - LIFE - 1)
    assert not peer.alive
    learn(peer, clock.wall)
    assert peer.alive


async def test_node_whose_records_change_lives_whatever_its_clock_says(peer, clock):
    behind = 3600
    learn(peer, clock.wall - behind)
    assert not peer.alive
    passes(clock, peer, 1)
    learn(peer, clock.wall - behind)
    assert peer.alive


@pytest.mark.parametrize("skew", [-3600, 0, 3600])
async def test_node_whose_records_stay_the_same_dies_after_its_life(peer, clock, skew):
    learn(peer, clock.wall + skew)
    passes(clock, peer, 1)
    learn(peer, clock.wall + skew)
    passes(clock, peer, LIFE - 0.1)
    assert peer.alive
    passes(clock, peer, 0.1)
    assert not peer.alive
    assert peer.reason == "no new record of it for 3 s"


async def test_clock_that_is_set_back_is_followed(peer, clock):
    learn(peer, clock.wall + 3600)
    passes(clock, peer, LIFE)
    learn(peer, clock.wall)
    assert peer.alive


async def test_older_record_of_another_node_at_the_address_is_no_news(peer, clock):
    learn(peer, clock.wall, "b")
    assert not peer.is_news(Record("former", ADDRESS, int(clock.wall) - 60))
    assert peer.is_news(Record("successor", ADDRESS, int(clock.wall) + 1))
