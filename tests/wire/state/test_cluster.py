"""Tables shared through a real Redis Cluster of three masters."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adc.state.allowance import Bucket, Grant
from adc.state.interface import UNKNOWN, Entry
from adc.state.redis import RedisStore
from tests.unit.state.table_suite import NOW, TableSuite
from tests.wire.redis_server import needs_redis, started
from tests.wire.state.redis_groups import Cluster
from tests.wire.state.shared_stores import BOUND, connected, node, outage, two_nodes, until

pytestmark = needs_redis


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(Cluster(tmp_path_factory.mktemp("cluster"))) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def empty(cluster: Cluster) -> None:
    cluster.command("FLUSHALL")


class TestThroughCluster(TableSuite):
    @pytest.fixture
    async def store(self, cluster: Cluster) -> AsyncIterator[RedisStore]:
        store = await connected(node(cluster.address, clock=lambda: NOW))
        yield store
        await store.close()


@pytest.fixture
async def nodes(cluster: Cluster) -> AsyncIterator[tuple[RedisStore, RedisStore]]:
    async with two_nodes(cluster.address) as stores:
        yield stores


async def test_one_batch_of_changes_goes_to_all_masters_and_to_the_other_node(
    nodes: tuple[RedisStore, RedisStore], cluster: Cluster
) -> None:
    mine, theirs = (store.table("t", 1000, min) for store in nodes)
    now = time.time()
    for number in range(300):
        mine.set(b"%d" % number, b"v", 100.0, now)
    await until(lambda: len(theirs) == 300)
    sizes = [int(size[1:]) for size in cluster.command("DBSIZE")]
    assert sum(sizes) == 301  # the stream of changes is one key
    assert min(sizes) > 50
    for number in range(300):
        mine.delete(b"%d" % number, now)
    await until(lambda: len(theirs) == 0)


async def test_counters_of_two_nodes_add_up_over_the_slots(
    nodes: tuple[RedisStore, RedisStore], cluster: Cluster
) -> None:
    mine, theirs = (store.table("plain", 1000) for store in nodes)
    for number in range(30):
        mine.add(b"n%d" % number, 1, 100.0, time.time())
        theirs.add(b"n%d" % number, 2, 100.0, time.time())

    def counted() -> list[list[bytes]]:
        return [cluster.command("GET", f"adc:plain:n{number}") for number in range(30)]

    await until(lambda: all(b"$1\r\n3\r\n" in answers for answers in counted()))


async def test_allowances_of_many_slots_are_taken_from_together(nodes: tuple[RedisStore, RedisStore]) -> None:
    grants: list[Grant | None] = []
    for number in range(60):
        table = nodes[number % 2].table("t", 1000)
        table.take_exactly(b"k%d" % (number % 30), Bucket(0.001, 1), 1, 1, time.time(), grants.append)
    await until(lambda: len(grants) == 60)
    assert sorted(grant.granted for grant in grants if grant is not None) == [0] * 30 + [1] * 30


async def test_entries_of_many_slots_are_fetched_together(cluster: Cluster) -> None:
    one = await connected(node(cluster.address))
    table = one.table("t", 1000)
    for number in range(100):
        table.set(b"%d" % number, b"v%d" % number, 100.0, time.time())
    await one.close()
    other = await connected(node(cluster.address))
    table = other.table("t", 1000)  # opened after the pull: nothing of it is known yet
    answers: dict[int, Entry | None] = {}
    for number in range(100):
        assert table.lookup(b"%d" % number, time.time()) is UNKNOWN
        table.fetch(b"%d" % number, time.time(), lambda entry, number=number: answers.update({number: entry}))
    await until(lambda: len(answers) == 100)
    assert [(answers[number] or Entry(b"", 0)).value for number in range(100)] == [
        b"v%d" % number for number in range(100)
    ]
    await other.close()


async def test_node_that_comes_later_pulls_from_all_masters(cluster: Cluster) -> None:
    one = await connected(node(cluster.address))
    for number in range(100):
        one.table("t", 1000).set(b"%d" % number, b"v", 100.0, time.time())
    await one.close()
    other = node(cluster.address)
    table = other.table("t", 1000)
    await connected(other)
    assert len(table) == 100
    await other.close()


async def test_slot_that_changes_its_master_is_followed(
    nodes: tuple[RedisStore, RedisStore], cluster: Cluster
) -> None:
    mine, theirs = (store.table("t", 1000, min) for store in nodes)
    slot = int(cluster.servers[0].command("CLUSTER", "KEYSLOT", "adc:t:moved")[1:])
    owner = next(at for at in range(3) if slot < (at + 1) * (16384 // 3) or at == 2)
    cluster.give(slot, (owner + 1) % 3)
    try:
        mine.set(b"moved", b"v", 100.0, time.time())
        await until(lambda: theirs.get(b"moved", time.time()) is not None)
        holder = cluster.servers[(owner + 1) % 3]
        await until(lambda: holder.command("GET", "adc:t:moved") == b"$1\r\nv\r\n")
    finally:
        cluster.command("FLUSHALL")
        cluster.give(slot, owner)


async def test_master_that_hangs_is_waited_for_by_nobody_and_all_is_level_on_return(
    nodes: tuple[RedisStore, RedisStore], cluster: Cluster
) -> None:
    one, other = nodes
    mine, theirs = (store.table("t", 1000, min) for store in nodes)
    mine.set(b"before", b"v", 100.0, time.time())
    await until(lambda: theirs.get(b"before", time.time()) is not None)
    cluster.servers[1].pause()
    try:
        await until(lambda: one.status().degraded and other.status().degraded)
        now = time.time()
        for number in range(100):
            mine.set(b"mine%d" % number, b"v", 100.0, now)
            theirs.set(b"theirs%d" % number, b"v", 100.0, now)
        assert mine.lookup(b"before", now) is not None
        assert mine.lookup(b"nobody", now) is None
    finally:
        cluster.servers[1].resume()
    await until(lambda: not one.status().degraded and not other.status().degraded, 15.0)
    await until(lambda: len(mine) == len(theirs) == 201)


async def test_loop_is_not_held_up_by_a_master_that_hangs(cluster: Cluster, tmp_path: Path) -> None:
    hangs = cluster.servers[2]
    assert await outage(cluster.address, tmp_path, hangs.pause, hangs.resume, 2000) < BOUND


async def test_the_first_address_may_be_of_a_master_that_is_gone(cluster: Cluster, tmp_path: Path) -> None:
    address = cluster.address._replace(urls=("redis://127.0.0.1:1", *cluster.address.urls))
    store = await connected(node(address))
    await store.close()
