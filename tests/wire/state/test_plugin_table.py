"""A plugin's table of the scope `cluster` on a real Redis."""

import time

import pytest

from adc.plugin import StateUnavailable, Table
from adc.state.redis import RedisStore
from adc.state.redis_client import RedisAddress
from tests.wire.redis_server import RedisServer, needs_redis
from tests.wire.state.shared_stores import connected, until

pytestmark = needs_redis


def opened(store: RedisStore) -> Table:
    return Table(store.table("plugin/r/p/t", 100), time.time, store.status)


async def test_entry_of_another_machine_is_fetched(server: RedisServer) -> None:
    address = RedisAddress((server.url,))
    stores = [await connected(RedisStore(address, limit=10.0, fetch_limit=10.0)) for _ in range(2)]
    opened(stores[0]).set(b"k", b"v", 100.0)
    await until(lambda: b"v" in server.command("GET", "adc:plugin/r/p/t:k"))
    table = opened(stores[1])
    assert table.get(b"k") is None
    entry = await table.fetch(b"k")
    assert entry is not None
    assert entry.value == b"v"
    assert table.get(b"k") == entry
    assert await table.fetch(b"unknown") is None
    for store in stores:
        await store.close()


async def test_table_goes_on_without_redis_and_only_exact_additions_raise(server: RedisServer) -> None:
    address = RedisAddress((server.url,))
    store = await connected(RedisStore(address, interval=0.02, limit=1.0, fetch_limit=1.0))
    table = opened(store)
    assert (await table.add_exactly(b"n", 2, 100.0)).total == 2
    server.pause()
    with pytest.raises(StateUnavailable):
        await table.add_exactly(b"n", 1, 100.0)
    assert table.degraded
    assert await table.fetch(b"unknown") is None
    assert table.add(b"n", 1, 100.0).total == 3
    server.resume()
    await store.close()
