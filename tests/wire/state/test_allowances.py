"""Allowances that machines share through a real Redis."""

import random
import time

import pytest
import redis

from adc.plugin import Bucket, StateUnavailable, Table, Window
from adc.state.allowance import TAKE
from adc.state.redis import RedisStore
from adc.state.redis_client import RedisAddress
from tests.wire.redis_server import RedisServer, needs_redis
from tests.wire.state.shared_stores import connected, node

pytestmark = needs_redis

NOW = 1_800_000_000.0
LIMITS = [Bucket(10.0, 20), Bucket(1000.5, 7, debt=30), Bucket(0.01, 3), Window(20, 2.0), Window(100, 60.0)]


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("seed", [1, 2])
def test_script_agrees_with_the_allowance(server: RedisServer, limit: Bucket | Window, seed: int) -> None:
    drawn, now, state = random.Random(seed), NOW, b""
    with redis.Redis.from_url(server.url) as client:
        for _ in range(300):
            now = round(now + drawn.choice([0.0, 0.001, 0.05, 0.5]) * limit.ttl * drawn.random() / 3, 6)
            least, want = drawn.randint(1, 3), drawn.randint(1, 20)
            grant, after = limit.take(state, least, want, now)
            state = after if grant.granted else state
            arguments = (*limit.arguments, least, want, f"{now:.6f}")
            granted, left, wait, reset = client.eval(TAKE, 1, "k", *arguments)  # type: ignore[misc]
            assert (granted, left) == (grant.granted, grant.remaining)
            assert (float(wait), float(reset)) == pytest.approx((grant.wait, grant.reset), abs=2e-6)
            assert (client.get("k") or b"") == state


def opened(store: RedisStore) -> Table:
    return Table(store.table("plugin/r/p/t", 100), time.time, store.status)


async def test_two_machines_share_an_allowance(server: RedisServer) -> None:
    address = RedisAddress((server.url,))
    stores = [await connected(RedisStore(address, limit=10.0)) for _ in range(2)]
    tables = [opened(store) for store in stores]
    grants = [await tables[number % 2].take_exactly(b"k", Bucket(0.001, 20)) for number in range(30)]
    assert [grant.granted for grant in grants] == [1] * 20 + [0] * 10
    assert grants[19].remaining == 0
    for store in stores:
        await store.close()


async def test_take_that_redis_does_not_confirm_raises(server: RedisServer) -> None:
    store = await connected(node(server))
    table = opened(store)
    server.pause()
    with pytest.raises(StateUnavailable):
        await table.take_exactly(b"k", Bucket(1.0, 1))
    server.resume()
    await store.close()


async def test_take_without_redis_raises_at_once() -> None:
    store = RedisStore(RedisAddress(("redis://127.0.0.1:1",)), limit=1000.0)
    with pytest.raises(StateUnavailable):
        await opened(store).take_exactly(b"k", Bucket(1.0, 1))
    await store.close()
