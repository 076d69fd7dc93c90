"""The store that all machines share, through Redis or Valkey, without ever waiting for it during a request.

Reads are answered from this node's copy (`first`); writes are sent in batches every `interval`; other nodes' changes
arrive over a stream. While Redis is away or slow, the node continues with its copy and `status` is degraded. When
Redis is back, both sides are synchronised: each table's merge rule decides between two values of a key, and an entry
that only one side has is copied to the other.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence

from redis.exceptions import RedisError

from adc.state.allowance import Grant
from adc.state.breaker import Breaker
from adc.state.changes import WriteQueue
from adc.state.interface import Claimed, Count, Counted, Entry, Fetched, Merge, Status, Store
from adc.state.memory import MemoryStore
from adc.state.redis_client import RedisAddress, connect, disconnect
from adc.state.redis_link import BATCH, RedisLink
from adc.state.redis_requests import ExactRequests
from adc.state.redis_table import Addition, RedisTable, Take
from adc.state.shared_secret import Agreed, SharedSecret
from adc.telemetry.event_log import EventLog

MAX_QUEUED_WRITES = 100_000
MAX_WAITING = 10_000
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_FAILURES = (RedisError, OSError, TimeoutError)

log = EventLog("adc.state")


class _Waiting:
    """The callers that wait for one entry, and the timer that ends their wait. `offer` is the entry to store if there
    is none."""

    __slots__ = ("done", "offer", "timer")

    def __init__(self, timer: asyncio.TimerHandle, offer: Entry | None) -> None:
        self.done: list[Fetched] = []
        self.offer = offer
        self.timer = timer


class RedisStore:
    """A `Store` shared by the machines that use the same `prefix`.

    `interval`: time between two batches of changes. `fetch_limit`: maximum wait of a request for an entry that this
    node does not have. `limit`: timeout of an exchange with Redis, after which Redis counts as away. All in seconds.
    `close_first`: close `first` with this store. Raises ValueError for an invalid address.
    """

    def __init__(
        self,
        address: RedisAddress,
        *,
        prefix: str = "adc:",
        first: Store | None = None,
        interval: float = 0.1,
        fetch_limit: float = 0.03,
        limit: float = 1.0,
        clock: Callable[[], float] = time.time,
        source: random.Random | None = None,
        close_first: bool = True,
    ) -> None:
        self._close_first = close_first
        self.writes = WriteQueue(MAX_QUEUED_WRITES)
        self._first = MemoryStore() if first is None else first
        self._interval = interval
        self._fetch_limit = fetch_limit
        self._limit = limit
        self._clock = clock
        self._tables: dict[str, RedisTable] = {}
        self._client = connect(address, limit)
        self._prefix = prefix.encode()
        self._link = RedisLink(self._client, self._prefix, os.urandom(8), self._tables, self.writes, clock)
        drawn = source if source is not None else random.Random()
        self._gone = Breaker(_FIRST_PAUSE, _LONGEST_PAUSE, drawn)
        self._slow = Breaker(_FIRST_PAUSE, _LONGEST_PAUSE, drawn)
        self._gone.begin("not connected yet", clock())
        self._waiting: dict[tuple[str, bytes], _Waiting] = {}
        self._asked: list[tuple[str, bytes]] = []
        self._additions: ExactRequests[Addition, Count] = ExactRequests(fetch_limit, self._took_long)
        self._takes: ExactRequests[Take, Grant] = ExactRequests(limit, _ignore)
        self._secret: SharedSecret | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._serving = False

    def table(self, name: str, size: int, merge: Merge | None = None) -> RedisTable:
        known = self._first.table(name, size, merge)
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = RedisTable(self, known, merge, size)
        table.merge, table.size = merge, size
        return table

    def keep(self, name: str, value: bytes, agreed: Agreed) -> None:
        """Store `value` under `name`, outside of all tables, whenever Redis has none: it may lose everything. Call
        `agreed` when Redis has another value, or learns of a former one."""
        if self._secret is not None and self._secret.offers(name, value):
            self._secret.call(agreed)
        else:
            self._secret = SharedSecret(name, value, agreed)

    def status(self) -> Status:
        for breaker in (self._gone, self._slow):
            if breaker.open_since is not None:
                return Status(True, breaker.reason, breaker.open_since)
        return self._first.status()

    def tick(self, now: float, budget: int = 2000) -> int:
        return self._first.tick(now, budget)

    def start(self) -> None:
        self._first.start()
        self._stopping = False
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        await self._stop()
        if not self._gone.open:
            try:
                async with asyncio.timeout(1.0):
                    await self._link.flush()
            except _FAILURES as error:
                log.warn("redis_changes_lost", detail=str(error))
        for name in list(self._waiting):
            self._answer_from_here(name)
        self._fail_exact()
        await disconnect(self._client)
        if self._close_first:
            await self._first.close()

    def asks(self, now: float) -> bool:
        """True if Redis can be asked for an entry that this node does not have."""
        return not self._gone.open and self._slow.may_try(now)

    def fetch(self, table: RedisTable, key: bytes, now: float, done: Fetched) -> None:
        """Request an entry from Redis, together with all requests of this loop iteration."""
        if not self._ask(table, key, None, now, done):
            asyncio.get_running_loop().call_soon(done, table.get(key, now))

    def claim(self, table: RedisTable, key: bytes, offer: Entry, now: float, done: Claimed) -> None:
        """Request the entry from Redis, and store `offer` there if there is none."""

        def settled(entry: Entry | None) -> None:
            done(table.claimed(key, offer, self._clock()) if entry is None else entry)

        if not self._ask(table, key, offer, now, settled):
            asyncio.get_running_loop().call_soon(settled, None)

    def _ask(self, table: RedisTable, key: bytes, offer: Entry | None, now: float, done: Fetched) -> bool:
        """Queue a request to Redis; False if none is possible or needed. Of several claims the first one's offer
        counts."""
        name = (table.name, key)
        waiting = self._waiting.get(name)
        if waiting is None:
            if table.get(key, now) is not None or not self.asks(now) or len(self._waiting) >= MAX_WAITING:
                return False
            timer = asyncio.get_running_loop().call_later(self._fetch_limit, self._late, name)
            waiting = self._waiting[name] = _Waiting(timer, offer)
            self._asked.append(name)
            self._wake.set()
        waiting.done.append(done)
        return True

    def add_exactly(self, addition: Addition, now: float, done: Counted) -> None:
        """Add in Redis, together with all additions of this loop iteration."""
        if not (self._serving and self.asks(now) and self._additions.add(addition, done)):
            asyncio.get_running_loop().call_soon(done, None)

    def take_exactly(self, take: Take, done: Callable[[Grant | None], None]) -> None:
        """Take in Redis. A slow Redis is waited for, up to the limit of an exchange: no node may decide alone."""
        if not (self._serving and self._takes.add(take, done)):
            asyncio.get_running_loop().call_soon(done, None)

    async def _add(self, additions: Sequence[Addition]) -> Sequence[Count | None]:
        counts = await self._link.add(additions)
        now = self._clock()
        for (table, key, _, _), count in zip(additions, counts, strict=True):
            if count is not None:
                table.counted(key, count.total, count.expires, now)
        return counts

    def _took_long(self) -> None:
        self._slow.failed(f"a response takes over {self._fetch_limit * 1000:.0f} ms", self._clock())

    def _late(self, name: tuple[str, bytes]) -> None:
        self._took_long()
        self._answer_from_here(name)

    def _answer_from_here(self, name: tuple[str, bytes]) -> None:
        """Answer from this node's copy. An offer is stored: Redis may have accepted it already."""
        table, now = self._tables[name[0]], self._clock()
        offer = self._waiting[name].offer if name in self._waiting else None
        self._answer(name, table.get(name[1], now) if offer is None else table.claimed(name[1], offer, now))

    def _answer(self, name: tuple[str, bytes], entry: Entry | None) -> None:
        waiting = self._waiting.pop(name, None)
        if waiting is not None:
            waiting.timer.cancel()
            for done in waiting.done:
                done(entry)

    async def _stop(self) -> None:
        self._stopping = True
        self._serving = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while not self._stopping:
            if self._gone.may_try(self._clock()):
                error = await _outcome(self._live())
                if error is not None:
                    self._lost(error)
                    await disconnect(
                        self._client
                    )  # its other connections have failed too, without notice so far
            await asyncio.sleep(self._interval / 2)

    async def _live(self) -> None:
        """Serve one connection, from its synchronisation to its end."""
        if self._secret is not None:
            self._secret.hurry()
        await self._offer()
        await self._link.resynchronise()
        self._returned()
        await self._serve()

    async def _serve(self) -> None:
        """Flush, follow and fetch until one of them fails. The flag ends them too, because the client can
        lose a cancellation that meets an answer."""
        self._serving = not self._stopping
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._flush))
            tasks.create_task(self._repeat(self._follow))
            tasks.create_task(self._repeat(self._fetch_asked))
            tasks.create_task(self._repeat(self._add_waiting))
            tasks.create_task(self._repeat(self._take_waiting))

    async def _repeat(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            while self._serving:
                await step()
        finally:
            self._serving = False
            self._wake.set()
            self._additions.wake()
            self._takes.wake()

    async def _add_waiting(self) -> None:
        await self._additions.send_waiting(self._add)

    async def _take_waiting(self) -> None:
        await self._takes.send_waiting(self._link.take)

    async def _offer(self) -> None:
        if self._secret is not None:
            await self._secret.offer(self._client, self._prefix)

    async def _flush(self) -> None:
        await self._offer()
        await self._link.flush()
        if self._slow.open and self._slow.may_try(self._clock()):
            await self._see_how_slow()
        await asyncio.sleep(self._interval)

    async def _see_how_slow(self) -> None:
        """Measure the latency of Redis without a waiting request."""
        began = time.monotonic()
        await self._link.ping()
        if time.monotonic() - began < self._fetch_limit:
            self._slow.succeeded()
        else:
            self._slow.failed(self._slow.reason, self._clock())

    async def _follow(self) -> None:
        await self._link.follow(self._limit / 2)

    async def _fetch_asked(self) -> None:
        await self._wake.wait()
        names, self._asked = self._asked[:BATCH], self._asked[BATCH:]
        if not self._asked:
            self._wake.clear()
        names = [name for name in names if name in self._waiting]
        if names:
            await self._fetch(names)

    async def _fetch(self, names: list[tuple[str, bytes]]) -> None:
        tables = [(self._tables[name], key) for name, key in names]
        offers = [self._waiting[name].offer for name in names]
        entries = await self._link.entries(tables, offers)
        now = self._clock()
        if all(name in self._waiting for name in names):  # none of them was late
            self._slow.succeeded()
        for (table, key), entry, offer in zip(tables, entries, offers, strict=True):
            if entry is None:
                stands = table.get(key, now)
            elif offer is not None and entry.value == offer.value:
                stands = table.claimed(key, entry, now)
            else:
                stands = table.learn(key, entry, now)
            self._answer((table.name, key), stands)

    def _returned(self) -> None:
        log.info("redis_back", seconds=round(self._clock() - (self._gone.open_since or 0.0), 1))
        self._gone.succeeded()

    def _lost(self, error: BaseException) -> None:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if not self._gone.open:
            log.error("redis_lost", detail=str(error))
        self._gone.failed(f"{type(error).__name__}: {error}", self._clock())
        for name in list(self._waiting):
            self._answer_from_here(name)
        self._asked.clear()
        self._wake.clear()
        self._fail_exact()

    def _fail_exact(self) -> None:
        self._additions.fail()
        self._takes.fail()


def _ignore() -> None:
    """No-op: the timeout of the connection says that Redis is away."""


async def _outcome(attempt: Coroutine[None, None, None]) -> BaseException | None:
    """Return the exception that ended `attempt`, None for success.

    The attempt is a separate task, so that no failure of the client library prevents the next attempt: not even an
    unrequested cancellation, which follows when the close of a connection was cancelled before.
    """
    task = asyncio.ensure_future(attempt)
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()
        await asyncio.wait([task])
    return asyncio.CancelledError("a cancelled connection") if task.cancelled() else task.exception()
