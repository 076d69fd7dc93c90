"""One fetch for those who ask for the same at the same time."""

import asyncio
import contextlib
import os
import time

import pytest

from adc.cache.purge import Purge, Scope
from tests.kit.client import get
from tests.kit.member import response
from tests.kit.waiting import eventually, within
from tests.wire.cached import caching, told

FRESH = "Cache-Control: max-age=100"


class Gate:
    """A member that answers with `reply` when it is let."""

    def __init__(self, reply):
        self.reply = reply
        self.open = asyncio.Event()
        self.asked = 0

    async def __call__(self, conversation):
        while True:
            request = await conversation.request()
            self.asked += 1
            await self.open.wait()
            reply = self.reply(request) if callable(self.reply) else self.reply
            if reply is None:
                return
            await conversation.send(reply)


@contextlib.asynccontextmanager
async def crowd(cached, count, *fields):
    """`count` clients that have sent the same request, the first of them alone."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(cached.proxy.client()) for _ in range(count)]
        for client in clients:
            await client.send(get("/", *fields))
            if client is clients[0]:
                await eventually(lambda: cached.store.users == 1)
        yield clients


def waiting(cached):
    return cached.store.flights.waiting(b"http://a/")


async def test_many_misses_are_one_fetch(tmp_path):
    gate = Gate(response(b"x", FRESH))
    async with caching(tmp_path, script=gate) as cached, crowd(cached, 50) as clients:
        await eventually(lambda: waiting(cached) == 49)
        gate.open.set()
        replies = [await client.reply() for client in clients]
        assert [reply.body for reply in replies] == [b"x"] * 50
        assert gate.asked == 1
        assert "collapsed" not in told(replies[0])
        assert all("collapsed" in told(reply) for reply in replies[1:])
        assert cached.store.counters.collapsed == 49


async def test_followers_get_content_while_it_comes(tmp_path):
    more = asyncio.Event()

    async def script(conversation):
        await conversation.request()
        head = response(b"", FRESH, "Content-Length: 4", length=False)
        await eventually(lambda: len(conversation.member.connections) == 1)
        await ready.wait()
        await conversation.send(head + b"ab")
        await more.wait()
        await conversation.send(b"cd")
        await conversation.rest()

    ready = asyncio.Event()
    async with caching(tmp_path, script=script) as cached, crowd(cached, 3) as clients:
        await eventually(lambda: waiting(cached) == 2)
        ready.set()
        for client in clients:
            assert b"ab" in await within(client._source._reader.readuntil(b"\r\n\r\nab"))
        more.set()
        for client in clients:
            assert await client.exactly(2) == b"cd"


async def test_responses_that_cannot_be_shared_let_followers_go_a_few_at_a_time(tmp_path):
    most = 0
    now = 0

    async def script(conversation):
        nonlocal most, now
        while True:
            await conversation.request()
            now += 1
            most = max(most, now)
            await first.wait()
            await asyncio.sleep(0.01)
            now -= 1
            await conversation.send(response(b"own", "Cache-Control: private"))

    first = asyncio.Event()
    async with caching(tmp_path, script=script) as cached, crowd(cached, 20) as clients:
        await eventually(lambda: waiting(cached) == 19)
        first.set()
        assert [(await client.reply()).body for client in clients] == [b"own"] * 20
        assert len(cached.asked) == 20
        assert most <= 12
        assert not len(cached.store.flights)


async def test_a_leader_that_fails_hands_over_to_the_next(tmp_path):
    answers = iter([None, response(b"x", FRESH)])
    gate = Gate(lambda request: next(answers))
    settings = {"retries": False}
    async with caching(tmp_path, script=gate, route=settings) as cached, crowd(cached, 10) as clients:
        await eventually(lambda: waiting(cached) == 9)
        gate.open.set()
        replies = [await client.reply() for client in clients]
        assert [reply.status for reply in replies] == [502] + [200] * 9
        assert gate.asked == 2


async def test_followers_outlive_a_leader_whose_client_leaves(tmp_path):
    gate = Gate(response(b"x", FRESH))
    async with caching(tmp_path, script=gate) as cached, crowd(cached, 3) as clients:
        await eventually(lambda: waiting(cached) == 2)
        clients[0].close()
        await eventually(lambda: len(cached.proxy.connections) == 3)
        gate.open.set()
        assert [(await client.reply()).body for client in clients[1:]] == [b"x"] * 2
        assert gate.asked == 1


async def test_a_fetch_that_nobody_waits_for_is_given_up(tmp_path):
    gate = Gate(response(b"x", FRESH))
    async with caching(tmp_path, script=gate) as cached, crowd(cached, 1) as clients:
        await eventually(lambda: gate.asked == 1)
        clients[0].close()
        await eventually(lambda: not cached.store.users)
        assert not len(cached.store.flights)
        assert cached.proxy.access_log()[0]["end_reason"] == "client_gone"


async def test_a_download_begun_is_finished_for_the_store(tmp_path):
    big = os.urandom(2 << 20)
    async with caching(tmp_path, response(big, FRESH)) as cached:
        async with cached.proxy.client(receive_buffer=1 << 14) as leaving:
            await leaving.send(get())
            assert await leaving.some()
        await eventually(lambda: not cached.store.users)
        assert (await cached.get()).body == big
        assert len(cached.asked) == 1


async def test_a_slow_leader_does_not_hold_up_followers(tmp_path):
    big = os.urandom(8 << 20)
    gate = Gate(response(big, FRESH))
    async with caching(tmp_path, script=gate) as cached:
        async with cached.proxy.client(receive_buffer=1 << 14) as slow, cached.proxy.client() as quick:
            await slow.send(get())
            await eventually(lambda: cached.store.users == 1)
            await quick.send(get())
            await eventually(lambda: waiting(cached) == 1)
            gate.open.set()
            assert (await quick.reply()).body == big
            assert (await slow.reply()).body == big
        assert gate.asked == 1


async def test_followers_of_another_variant_fetch_their_own(tmp_path):
    gate = Gate(lambda request: response(request[b"x-a"], FRESH, "Vary: X-A"))
    async with caching(tmp_path, script=gate) as cached, crowd(cached, 3, "X-A: 1") as clients:
        async with cached.proxy.client() as other:
            await other.send(get("/", "X-A: 2"))
            await eventually(lambda: waiting(cached) == 3)
            gate.open.set()
            assert [(await client.reply()).body for client in clients] == [b"1"] * 3
            assert (await other.reply()).body == b"2"
        assert gate.asked == 2


async def test_a_request_that_wants_its_own_answer_does_not_wait(tmp_path):
    gate = Gate(response(b"x", FRESH))
    async with caching(tmp_path, script=gate) as cached, crowd(cached, 1) as clients:
        async with cached.proxy.client() as own:
            await own.send(get("/", "Cache-Control: no-store"))
            await eventually(lambda: gate.asked == 2)
            gate.open.set()
            assert (await own.reply()).body == b"x"
        assert (await clients[0].reply()).body == b"x"


@pytest.mark.parametrize("body", [b"x", b"x" * 2_000_000], ids=["short", "long"])
async def test_stale_entries_are_validated_once_for_all(body, tmp_path):
    first = response(body, FRESH, 'ETag: "a"')
    confirmed = b'HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=99\r\nETag: "a"\r\n\r\n'
    gate = Gate(lambda request: confirmed if b"if-none-match" in request else first)
    gate.open.set()
    async with caching(tmp_path, script=gate) as cached:
        await cached.get()
        cached.store.tiers.purge(Purge(Scope.ALL, soft=True))
        gate.open.clear()
        async with crowd(cached, 20) as clients:
            await eventually(lambda: waiting(cached) == 19)
            gate.open.set()
            assert [(await client.reply()).body for client in clients] == [body] * 20
        assert gate.asked == 2


@pytest.mark.parametrize("disk", [True, False])
async def test_request_after_a_purge_gets_no_response_fetched_before_it(disk, tmp_path):
    gate = Gate(lambda request: response(b"%d" % gate.asked, FRESH))
    async with caching(tmp_path, script=gate, disk=disk) as cached, crowd(cached, 1) as clients:
        await eventually(lambda: gate.asked == 1)
        cached.store.tiers.purge(Purge(Scope.URL, b"http://a/"))
        await cached.client.send(get())
        await eventually(lambda: waiting(cached) == 1)
        gate.open.set()
        assert (await clients[0].reply()).body == b"1"
        assert (await cached.client.reply()).body == b"2"
        assert (await cached.get()).body == b"2"


def validated(request):
    if b"if-none-match" in request:
        return response(b"", 'ETag: "a"', FRESH, status=304, length=False)
    return response(b"x", FRESH, 'ETag: "a"')


@pytest.mark.parametrize("reply", [response(b"x", FRESH), validated], ids=["fetched", "validated"])
@pytest.mark.parametrize("wish", ["Cache-Control: no-cache", "Cache-Control: max-age=0", "Pragma: no-cache"])
async def test_clients_that_demand_a_fresh_response_share_one_fetch(wish, reply, tmp_path):
    gate = Gate(reply)
    gate.open.set()
    async with caching(tmp_path, script=gate) as cached:
        await cached.get()
        gate.open.clear()
        async with crowd(cached, 20, wish) as clients:
            await eventually(lambda: waiting(cached) == 19)
            gate.open.set()
            assert [(await client.reply()).body for client in clients] == [b"x"] * 20
        assert gate.asked == 2


async def test_client_that_demands_a_fresh_response_is_not_answered_from_before_its_request(tmp_path):
    gate = Gate(response(b"x", FRESH))
    gate.open.set()
    async with caching(tmp_path, script=gate) as cached:
        for count in range(1, 4):
            await cached.get("/", "Cache-Control: no-cache")
            assert gate.asked == count


async def test_client_that_demands_a_fresh_response_gets_no_stale_one_on_error(tmp_path, monkeypatch):
    gate = Gate(lambda request: response(b"x", FRESH) if gate.asked == 1 else response(b"down", status=503))
    gate.open.set()
    async with caching(tmp_path, script=gate, stale_if_error="1h", route={"retries": False}) as cached:
        await cached.get()
        began = time.time
        monkeypatch.setattr(time, "time", lambda: began() + 200)
        gate.open.clear()
        async with crowd(cached, 2) as others, cached.proxy.client() as demanding:
            await eventually(lambda: waiting(cached) == 1)
            await demanding.send(get("/", "Cache-Control: no-cache"))
            await eventually(lambda: waiting(cached) == 2)
            gate.open.set()
            assert [(await client.reply()).status for client in others] == [200, 200]
            assert (await demanding.reply()).status == 503


@pytest.mark.parametrize(
    "wish", ["Cache-Control: no-cache", "Cache-Control: max-age=0, min-fresh=999", "Pragma: no-cache"]
)
async def test_demands_for_a_fresh_response_are_ignored_where_the_route_says_so(wish, tmp_path):
    gate = Gate(response(b"x", FRESH))
    gate.open.set()
    async with caching(tmp_path, script=gate, ignore_client_no_cache=True) as cached:
        await cached.get()
        assert "hit" in told(await cached.get("/", wish))
        assert gate.asked == 1
