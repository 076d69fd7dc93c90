"""Tables shared through a master that a real Sentinel watches over and replaces."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adc.config.loading import load
from adc.runtime.serve.state import redis_address
from adc.state.interface import Entry
from adc.state.redis import RedisStore
from adc.state.redis_client import RedisAddress
from tests.unit.state.table_suite import NOW, TableSuite
from tests.wire.redis_server import needs_redis, started
from tests.wire.state.redis_groups import Replicated
from tests.wire.state.shared_stores import connected, node, two_nodes, until

pytestmark = needs_redis


@pytest.fixture(scope="module")
def shared_group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicated]:
    with started(Replicated(tmp_path_factory.mktemp("sentinel"))) as group:
        yield group


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Replicated]:
    with started(Replicated(tmp_path)) as group:
        yield group


class TestThroughSentinel(TableSuite):
    @pytest.fixture
    async def store(self, shared_group: Replicated) -> AsyncIterator[RedisStore]:
        shared_group.master.command("FLUSHALL")
        store = await connected(node(shared_group.address, clock=lambda: NOW))
        yield store
        await store.close()


@pytest.fixture
async def nodes(group: Replicated) -> AsyncIterator[tuple[RedisStore, RedisStore]]:
    async with two_nodes(group.address) as stores:
        yield stores


@pytest.mark.parametrize("fate", ["killed", "hung"])
async def test_nodes_go_on_with_the_master_that_takes_over(
    nodes: tuple[RedisStore, RedisStore], group: Replicated, fate: str
) -> None:
    one, other = nodes
    mine, theirs = (store.table("t", 1000, min) for store in nodes)
    mine.set(b"before", b"v", 100.0, time.time())
    await until(lambda: theirs.get(b"before", time.time()) is not None)
    group.master.kill() if fate == "killed" else group.master.pause()
    await until(lambda: one.status().degraded and other.status().degraded)
    mine.set(b"mine", b"v", 100.0, time.time())
    theirs.set(b"theirs", b"v", 100.0, time.time())
    mine.set(b"both", b"b", 100.0, time.time())
    theirs.set(b"both", b"a", 100.0, time.time())
    assert mine.lookup(b"before", time.time()) is not None
    await until(lambda: not one.status().degraded and not other.status().degraded, 15.0)
    assert group.master_port == group.replica.port
    await until(lambda: all(_level(table.get, time.time()) for table in (mine, theirs)))
    held = group.replica.command("MGET", *(f"adc:t:{key}" for key in ("before", "mine", "theirs", "both")))
    assert held.split(b"\r\n")[2::2] == [b"v", b"v", b"v", b"a"]
    mine.set(b"after", b"v", 100.0, time.time())
    await until(lambda: theirs.get(b"after", time.time()) is not None)
    if fate == "hung":  # it comes back believing that it is the master still
        group.master.resume()
        await until(lambda: group.demoted, 15.0)
        theirs.set(b"last", b"v", 100.0, time.time())
        await until(lambda: mine.get(b"last", time.time()) is not None)
        assert not one.status().degraded


def _level(get, now: float) -> bool:
    values = {key: (get(key, now) or Entry(b"", 0)).value for key in (b"before", b"mine", b"theirs", b"both")}
    return values == {b"before": b"v", b"mine": b"v", b"theirs": b"v", b"both": b"a"}


async def test_master_that_is_replaced_in_peace_is_followed(
    nodes: tuple[RedisStore, RedisStore], group: Replicated
) -> None:
    one, other = nodes
    mine, theirs = (store.table("t", 1000, min) for store in nodes)
    number, deadline = 0, time.monotonic() + 30.0
    while group.master_port == group.master.port:
        assert time.monotonic() < deadline, "the Sentinel did not replace the master"
        if number % 50 == 0:  # again, in case it abandoned the failover; an error while one is in progress
            group.sentinel.command("SENTINEL", "failover", "m")
        number += 1
        mine.set(b"%d" % number, b"v", 100.0, time.time())
        await asyncio.sleep(0.02)
    await until(lambda: group.demoted, 15.0)
    mine.set(b"after", b"v", 100.0, time.time())
    await until(lambda: not one.status().degraded and not other.status().degraded, 15.0)
    await until(lambda: theirs.get(b"after", time.time()) is not None)
    await until(lambda: len(theirs) == number + 1)


async def test_a_sentinel_that_is_gone_does_not_keep_the_others_from_being_asked(group: Replicated) -> None:
    gone = group.address._replace(sentinels=(("127.0.0.1", 1), *group.address.sentinels))
    store = await connected(node(gone))
    store.table("t", 10).set(b"k", b"v", 100.0, time.time())
    await until(lambda: b"\r\nv\r\n" in group.master.command("GET", "adc:t:k"))
    await store.close()


async def test_the_master_is_told_who_comes(shared_group: Replicated) -> None:
    shared_group.master.command("ACL", "SETUSER", "adc", "on", ">secret", "~adc:*", "+@all")
    store = await connected(node(shared_group.address._replace(username="adc", password="secret")))
    assert b"user=adc" in shared_group.master.command("CLIENT", "LIST")
    await store.close()
    refused = node(shared_group.address._replace(username="adc", password="wrong"))
    refused.start()
    await until(lambda: "AuthenticationError" in refused.status().reason)
    await refused.close()


def test_settings_of_sentinels_reach_the_client(tmp_path: Path) -> None:
    file = tmp_path / "adc.yaml"
    sentinel = (
        "{master: m, addresses: ['127.0.0.1:26379', 'b.test:26380'], database: 2, username: u, password: p}"
    )
    file.write_text(
        "listeners: [{name: web, bind: '127.0.0.1:0'}]\n"
        "routes: [{respond: {status: 204}}]\n"
        f"state: {{backend: redis, sentinel: {sentinel}}}\n"
    )
    assert redis_address(load(file).config.state) == RedisAddress(
        sentinels=(("127.0.0.1", 26379), ("b.test", 26380)),
        master="m",
        database=2,
        username="u",
        password="p",
    )
