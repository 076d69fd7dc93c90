"""Stores as nodes have them, and waiting for what becomes of them."""

import asyncio
import time
from collections.abc import Callable

from adc.state.redis import RedisStore
from adc.state.redis_client import RedisAddress
from tests.wire.redis_server import RedisServer


async def until(condition: Callable[[], bool], limit: float = 5.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


def node(address: RedisAddress | RedisServer, clock: Callable[[], float] = time.time) -> RedisStore:
    if isinstance(address, RedisServer):
        address = RedisAddress((address.url,))
    return RedisStore(address, interval=0.02, limit=0.3, fetch_limit=0.05, clock=clock)


async def connected(store: RedisStore) -> RedisStore:
    await store.start()
    await until(lambda: not store.status().degraded)
    return store
