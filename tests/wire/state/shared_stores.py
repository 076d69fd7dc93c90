"""Stores as nodes have them, waiting for what becomes of them, and what they do to the event loop."""

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from adc.state.local import LocalStore
from adc.state.redis import RedisStore
from adc.state.redis_client import RedisAddress
from tests.wire.redis_server import RedisServer

BOUND = 0.05
"""Seconds for which nothing may be held up."""


async def until(condition: Callable[[], bool], limit: float = 5.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


def node(address: RedisAddress | RedisServer, clock: Callable[[], float] = time.time) -> RedisStore:
    if isinstance(address, RedisServer):
        address = RedisAddress((address.url,))
    return RedisStore(address, interval=0.02, limit=0.3, fetch_limit=0.05, clock=clock)


@contextlib.asynccontextmanager
async def two_nodes(address: RedisAddress | RedisServer) -> AsyncIterator[tuple[RedisStore, RedisStore]]:
    """Two stores that share the tables `t`, in which the smaller value stands, and `plain`."""
    one, other = node(address), node(address)
    for store in (one, other):
        store.table("t", 1000, min)
        store.table("plain", 1000)
        await connected(store)
    yield one, other
    await one.close()
    await other.close()


async def connected(store: RedisStore) -> RedisStore:
    store.start()
    await until(lambda: not store.status().degraded)
    return store


class HeldUp:
    """Measures from inside for how long the event loop was held up at most, by the gaps between the ticks of a
    5 ms timer, on the clock of `running`."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._timer = asyncio.get_running_loop().call_later(0.005, self._tick)
        self._last = running()

    def _tick(self) -> None:
        now = running()
        self.longest = max(self.longest, now - self._last - 0.005)
        self._last = now
        self._timer = asyncio.get_running_loop().call_later(0.005, self._tick)

    def stop(self) -> None:
        self._timer.cancel()


def running() -> float:
    """Seconds on a clock that stands still while this thread could run and the kernel lets others run instead."""
    waited = int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    return time.perf_counter() - waited


def on_file(address: RedisAddress, folder: Path) -> RedisStore:
    """A node that keeps what it knows in a file, as workers do."""
    return RedisStore(address, first=LocalStore(folder), interval=0.02, limit=0.3)


async def filled(store: RedisStore, letter: bytes, count: int) -> None:
    table = store.table("t", 100_000, min)
    for number in range(count):
        table.set(b"%b%d" % (letter, number), b"a pin's size of bytes, more or less", 600.0, time.time())
        if number % 50 == 0:
            await asyncio.sleep(0)


async def outage(
    address: RedisAddress, folder: Path, begin: Callable[[], None], end: Callable[[], None], count: int
) -> float:
    """Two nodes lose Redis, learn `count` entries each, and come back in step. Returns for how many seconds the
    event loop was held up at the most."""
    gc.collect()
    gc.freeze()  # skip what other tests have left behind; `unfreeze` would bring back all that pytest has collected
    held_up = HeldUp()
    nodes = [on_file(address, folder / name) for name in ("a", "b")]
    for store in nodes:
        store.table("t", 100_000, min)
        await connected(store)
    await asyncio.to_thread(begin)
    await asyncio.gather(*(filled(store, b"ab"[at : at + 1], count) for at, store in enumerate(nodes)))
    for store in nodes:
        store.table("t", 100_000).fetch(b"nobody", time.time(), lambda entry: None)
    await until(lambda: all(store.status().degraded for store in nodes))
    await asyncio.sleep(0.1)  # some attempts to reach it
    await asyncio.to_thread(end)
    await until(lambda: all(len(store.table("t", 100_000)) == 2 * count for store in nodes), 20.0)
    await until(lambda: not any(store.status().degraded for store in nodes), 20.0)
    for store in nodes:
        await store.close()
    held_up.stop()
    return held_up.longest
