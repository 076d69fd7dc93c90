"""Traffic with Redis: changes out in batches, changes of other nodes in, and the resynchronisation.

Each entry is a Redis key with an expiry. One stream carries every batch of changes to the other nodes; its ids let a
node that was away catch up, deletions included.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import cast

from redis.exceptions import ResponseError
from redis.typing import EncodableT, FieldT

from adc.state.allowance import TAKE, Grant
from adc.state.changes import Write, WriteQueue, decode_writes, encode_writes
from adc.state.interface import Count, Entry
from adc.state.redis_client import Client
from adc.state.redis_table import Addition, RedisTable, Take
from adc.telemetry.event_log import EventLog

BATCH = 64  # small enough that making or reading one holds up the event loop for a few milliseconds only
STREAM_LENGTH = 20_000
_CATCH_UP = 50

_Fields = dict[FieldT, EncodableT]
_Message = tuple[bytes, dict[bytes, bytes]]

log = EventLog("adc.state")


class RedisLink:
    """The conversation with Redis. Every method may raise redis errors, OSError and TimeoutError."""

    def __init__(
        self,
        client: Client,
        prefix: bytes,
        origin: bytes,
        tables: dict[str, RedisTable],
        writes: WriteQueue,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._stream = prefix + b"changes"
        self._origin = origin
        self._tables = tables
        self._writes = writes
        self._clock = clock
        self._position: bytes | None = None

    async def flush(self) -> None:
        """Send every queued change."""
        while self._writes:
            batch = self._writes.take(BATCH)
            try:
                await self._send(batch)
            except BaseException:
                self._writes.put_back(batch)
                raise

    async def follow(self, wait: float) -> None:
        """Wait up to `wait` seconds for changes by other nodes and take them in."""
        found = await self._client.xread(
            {self._stream: self._position or b"0-0"}, count=_CATCH_UP, block=max(1, int(wait * 1000))
        )
        for _, messages in found.items() if isinstance(found, dict) else found or ():  # RESP3, RESP2
            await self._take_in(cast("list[_Message]", messages))

    async def ping(self) -> None:
        """Wait for any response."""
        await self._client.ping()

    async def entries(
        self, names: Sequence[tuple[RedisTable, bytes]], offers: Sequence[Entry | None] = ()
    ) -> list[Entry | None]:
        """Return the entries in Redis under those keys, after storing `offers` for missing ones."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for (table, key), offer in zip_longest(names, offers):
                name = self._name(table.name, key)
                left = 1 if offer is None else max(1, int((offer.expires - self._clock()) * 1000))
                if offer is not None:
                    pipeline.set(name, offer.value, px=left, nx=True)
                pipeline.get(name)
                pipeline.pttl(name)
            found = await pipeline.execute()
        results = iter(found)
        entries: list[Entry | None] = []
        now = self._clock()
        for _, offer in zip_longest(names, offers):
            if offer is not None:
                next(results)
            value, left = next(results), next(results)
            entries.append(None if value is None or left <= 0 else Entry(value, now + left / 1000))
        return entries

    async def add(self, additions: Sequence[Addition]) -> list[Count | None]:
        """Add to counters; return the count in Redis for each, None if the value is no number."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for table, key, amount, ttl in additions:
                name = self._name(table.name, key)
                pipeline.incrby(name, amount)
                pipeline.pexpire(name, max(1, int(ttl * 1000)), nx=True)
                pipeline.pttl(name)
            results = await pipeline.execute(raise_on_error=False)
        now = self._clock()
        counts: list[Count | None] = []
        for place in range(0, len(results), 3):
            total, _, left = results[place : place + 3]
            if isinstance(total, ResponseError):
                log.warn("redis_count_failed", table=additions[place // 3].table.name, detail=total)
                counts.append(None)
            elif isinstance(total, Exception) or isinstance(left, Exception):
                raise total if isinstance(total, Exception) else left
            else:
                counts.append(Count(total, now + max(0, left) / 1000))
        return counts

    async def take(self, takes: Sequence[Take]) -> list[Grant | None]:
        """Take from allowances, by the clock of Redis; return each grant, None if Redis reports an error."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for table, key, allowance, least, want in takes:
                name = self._name(table.name, key)
                pipeline.execute_command("EVAL", TAKE, 1, name, *allowance.arguments, least, want, "-")
            results = await pipeline.execute(raise_on_error=False)
        grants: list[Grant | None] = []
        for (table, *_), result in zip(takes, results, strict=True):
            if isinstance(result, ResponseError):
                log.warn("redis_count_failed", table=table.name, detail=result)
                grants.append(None)
            elif isinstance(result, Exception):
                raise result
            else:
                granted, left, wait, reset = result
                grants.append(Grant(granted, left, float(wait), float(reset)))
        return grants

    async def resynchronise(self) -> None:
        """Apply missed changes, send queued ones, then synchronise this node and Redis: push, and pull."""
        await self._catch_up()
        await self.flush()
        for table in list(self._tables.values()):
            await self._push(table)
        for table in list(self._tables.values()):
            await self._pull(table)
        await self.flush()

    async def _send(self, batch: list[Write]) -> None:
        now = self._clock()
        batch = [write for write in batch if write.kind == "drop" or write.expires > now]
        published = [write for write in batch if write.kind != "count"]
        counts: list[tuple[int, Write]] = []
        async with self._client.pipeline(transaction=False) as pipeline:
            commands = 0
            for write in batch:
                name = self._name(write.table, write.key)
                left = max(1, int((write.expires - now) * 1000))
                if write.kind == "put":
                    pipeline.set(name, write.value, px=left)
                elif write.kind == "touch":
                    pipeline.pexpire(name, left)
                elif write.kind == "drop":
                    pipeline.delete(name)
                else:
                    counts.append((commands, write))
                    pipeline.incrby(name, write.amount)
                    pipeline.pexpire(name, left, nx=True)
                    commands += 1
                commands += 1
            if published:
                fields: _Fields = {b"o": self._origin, b"w": encode_writes(published, now)}
                pipeline.xadd(self._stream, fields, maxlen=STREAM_LENGTH, approximate=True)
            results = await pipeline.execute(raise_on_error=False) if batch else []
        counting = {position for position, _ in counts}
        for position, result in enumerate(results):
            if isinstance(result, Exception) and position not in counting:
                raise result
        for position, write in counts:
            total = results[position]
            if isinstance(total, int) and write.table in self._tables:
                self._tables[write.table].counted(write.key, total, write.expires, now)
            elif not isinstance(total, ResponseError):
                raise total
            else:
                log.warn("redis_count_failed", table=write.table, detail=total)

    async def _catch_up(self) -> None:
        last = await self._client.xrevrange(self._stream, count=1)
        newest = cast("bytes", last[0][0]) if last else b"0-0"
        if self._position is None or _order(newest) < _order(self._position):
            self._position = newest  # a master that took over without the last changes counts from lower on
            return
        while True:
            messages = await self._client.xrange(self._stream, min=b"(" + self._position, count=_CATCH_UP)
            if not messages:
                return
            await self._take_in(cast("list[_Message]", messages))

    async def _take_in(self, messages: Iterable[_Message]) -> None:
        for position, fields in messages:
            if fields.get(b"o") != self._origin:
                self._apply(fields.get(b"w", b""))
                await asyncio.sleep(0)  # a message is the most that may block the loop
            self._position = position

    def _apply(self, message: bytes) -> None:
        now = self._clock()
        try:
            for write in decode_writes(message, now):
                table = self._tables.get(write.table)
                if table is not None:
                    table.apply(write, now)
        except ValueError as error:
            log.warn("redis_change_invalid", detail=str(error))

    async def _push(self, table: RedisTable) -> None:
        cursor: bytes | None = None
        while True:
            page = table.scan(self._clock(), limit=BATCH, cursor=cursor)
            theirs = await self.entries([(table, key) for key, _ in page.entries]) if page.entries else []
            now = self._clock()
            for (key, mine), their in zip(page.entries, theirs, strict=True):
                if their is not None:
                    table.learn(key, their, now)
                elif table.get(key, now) is not None:
                    self._writes.add(Write("put", table.name, key, mine.value, mine.expires))
            await self.flush()
            cursor = page.cursor
            if cursor is None:
                return

    async def _pull(self, table: RedisTable) -> None:
        start = self._name(table.name, b"")
        pattern = re.sub(rb"([\\*?\[\]])", rb"\\\1", start) + b"*"
        missing: list[tuple[RedisTable, bytes]] = []
        async for name in self._client.scan_iter(match=pattern, count=BATCH):
            key = name[len(start) :]
            if len(table) >= table.size:
                return
            if table.get(key, self._clock()) is None:
                missing.append((table, key))
            if len(missing) >= BATCH:
                await self._learn(missing)
                missing = []
        if missing:
            await self._learn(missing)

    async def _learn(self, names: list[tuple[RedisTable, bytes]]) -> None:
        for (table, key), entry in zip(names, await self.entries(names), strict=True):
            if entry is not None:
                table.learn(key, entry, self._clock())

    def _name(self, table: str, key: bytes) -> bytes:
        return self._prefix + table.encode() + b":" + key


def _order(position: bytes) -> tuple[int, int]:
    """Return the place of a stream id: milliseconds, and a number within them."""
    milliseconds, _, number = position.partition(b"-")
    return int(milliseconds), int(number)
