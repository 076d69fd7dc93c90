"""Memory that responses take up on their way into the store is bounded."""

import asyncio
import contextlib
import os

import pytest

from adc.proxy.caching.unattended import MOST
from tests.kit.client import get
from tests.kit.member import response
from tests.kit.waiting import eventually, settled
from tests.wire.cached import caching

FRESH = "Cache-Control: max-age=100"
CHUNK = os.urandom(256 << 10)


def chunk_of(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


class Download:
    """A member that sends the head and `first` chunks, and `more` of them when it is let."""

    def __init__(self, first=1, more=0, *fields):
        self.first, self.more, self.fields = first, more, fields
        self.begin, self.go = asyncio.Event(), asyncio.Event()
        self.begin.set()
        self.asked = 0
        self.open = 0

    async def __call__(self, conversation):
        await conversation.request()
        self.asked += 1
        self.open += 1
        try:
            await self.begin.wait()
            length = [] if any("Length" in field for field in self.fields) else ["Transfer-Encoding: chunked"]
            framed = chunk_of(CHUNK) if length else CHUNK
            await conversation.send(response(b"", FRESH, *self.fields, *length, length=False))
            for _ in range(self.first):
                await conversation.send(framed)
            await self._let(conversation)
            for _ in range(self.more):
                await conversation.send(framed)
            if length:
                await conversation.send(b"0\r\n\r\n")
            await conversation.rest()
        finally:
            self.open -= 1

    async def _let(self, conversation):
        """Wait for `go`, but not longer than the connection lives."""
        gone = asyncio.ensure_future(conversation.reader.read(1))
        let = asyncio.ensure_future(self.go.wait())
        try:
            await asyncio.wait((gone, let), return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise ConnectionResetError
        finally:
            gone.cancel()
            let.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone


async def leave_early(cached, count):
    """Ask for `count` things and leave as soon as something comes."""
    for number in range(count):
        async with cached.proxy.client() as client:
            await client.send(get(f"/{number}"))
            await client.some()
    await eventually(lambda: len(cached.proxy.connections) == 1)


async def test_few_downloads_that_nobody_waits_for_go_on(tmp_path):
    member = Download(1, 0, "Content-Length: 1000000")
    async with caching(tmp_path, script=member, store={"memory": "64MB"}) as cached:
        await leave_early(cached, MOST + 10)
        assert member.asked == MOST + 10
        await eventually(lambda: member.open == MOST)
        assert len(cached.store.unattended) == cached.store.users == MOST


async def test_downloads_that_nobody_waits_for_have_little_still_to_come(tmp_path):
    member = Download(1, 0, "Content-Length: 15000000")
    async with caching(tmp_path, script=member, store={"memory": "64MB"}) as cached:
        await leave_early(cached, 6)
        await eventually(lambda: member.open == 2)
        assert len(cached.store.unattended) == 2


async def test_one_long_download_is_finished_for_the_store(tmp_path):
    member = Download(1, 160)
    sizes = {"memory": "64MB", "max_object": "50MB"}
    async with caching(tmp_path, script=member, store=sizes, disk=False) as cached:
        await leave_early(cached, 1)
        member.go.set()
        await eventually(lambda: not cached.store.users)
        assert len((await cached.get("/0")).body) == 161 * len(CHUNK)
        assert member.asked == 1


async def test_a_download_that_nobody_waits_for_ends_once_it_is_too_large(tmp_path):
    member = Download(1, 1000)
    async with caching(tmp_path, script=member, store={"max_object": "1MB"}) as cached:
        await leave_early(cached, 1)
        assert cached.store.users == 1
        member.go.set()
        await eventually(lambda: not cached.store.users)
        await eventually(lambda: not member.open)


async def test_many_downloads_at_once_stay_within_the_store(tmp_path):
    member = Download(8, 8)
    async with (
        caching(tmp_path, script=member, disk=False) as cached,
        contextlib.AsyncExitStack() as stack,
    ):
        memory = cached.store.tiers.memory
        clients = [await stack.enter_async_context(cached.proxy.client()) for _ in range(10)]
        replies = []
        for number, client in enumerate(clients):
            await client.send(get(f"/{number}"))
            replies.append(asyncio.ensure_future(client.reply()))
        await eventually(lambda: member.asked == 10)
        await settled(50)
        assert memory.claims.total + memory.size <= memory.capacity
        member.go.set()
        for reply in replies:
            assert (await reply).body == CHUNK * 16
        assert memory.claims.total == 0
        assert memory.size <= memory.capacity


async def test_a_slow_follower_of_what_cannot_be_stored_is_not_sent_more_than_it_takes(tmp_path):
    member = Download(1, 36)
    member.begin.clear()
    async with (
        caching(tmp_path, script=member, disk=False) as cached,
        cached.proxy.client() as quick,
        cached.proxy.client(receive_buffer=1 << 14) as slow,
    ):
        for number, client in enumerate((quick, slow)):
            await client.send(get())
            await eventually(lambda so_far=number: cached.store.flights.waiting(b"http://a/") == so_far)
            await eventually(lambda: member.asked)
        replies = [asyncio.ensure_future(quick.reply())]
        member.begin.set()
        member.go.set()
        (fetch,) = [each for each in cached.proxy.listener.service.active if hasattr(each, "audience")]
        await eventually(lambda: fetch.response_holds and not fetch.audience.fill.stored)
        waiting = [each._transport.get_write_buffer_size() for each in cached.proxy.connections]
        assert max(waiting) < 2 << 20
        replies.append(asyncio.ensure_future(slow.reply()))
        for reply in replies:
            assert (await reply).body == CHUNK * 37
        assert cached.store.tiers.memory.claims.total == 0
        assert member.asked == 1


@pytest.mark.parametrize("disk", [False, True])
async def test_slow_readers_of_evicted_responses_do_not_pile_up(tmp_path, disk):
    """Each of many URLs is stored, read slowly, and pushed out by the next."""
    body = os.urandom(1 << 20)
    async with (
        caching(tmp_path, response(body, FRESH), disk=disk, store={"memory": "8MB"}) as cached,
        contextlib.AsyncExitStack() as stack,
    ):
        memory = cached.store.tiers.memory
        slow = []
        for number in range(20):
            await cached.get(f"/{number}")
            client = await stack.enter_async_context(cached.proxy.client(receive_buffer=1 << 14))
            await client.send(get(f"/{number}"))
            await eventually(lambda so_far=number: len(cached.proxy.connections) == so_far + 2)
            slow.append(client)
            assert memory.size + memory.claims.total <= memory.capacity
        lent = sum(len(loan.body) for loan in memory.loans._open.values())
        assert lent <= memory.capacity
        for client in slow:
            assert (await client.reply()).body == body
        await eventually(lambda: not memory.loans)
        assert memory.claims.total == 0
