"""Finished exchanges and connections are freed at once, by reference counting alone."""

import asyncio
import contextlib
import os

import pytest

from adc.compression.encoders import content_coding
from adc.net.proxy_protocol import compose
from tests.kit.client import chunked, get, post
from tests.kit.member import OK, Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.survivors import nothing_survives
from tests.kit.waiting import eventually

UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x")
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
BIG = 4 << 20
PAGE = b"".join(os.urandom(1000) * 40 for _ in range(50))


async def replying(conversation):
    """A member that does what the path of a request says, then closes unless it says `/keep`."""
    request = await conversation.request()
    path = request.target
    while path.startswith("/keep"):
        await conversation.send(OK)
        request = await conversation.request()
        path = request.target
    if path == "/reset":
        await conversation.send(response(b"", "Content-Length: 100", length=False) + b"some")
        conversation.reset()
    elif path == "/broken":
        await conversation.send(b"nothing that HTTP knows\r\n\r\n")
    elif path == "/big":
        await conversation.send(response(bytes(BIG)))
    elif path == "/tunnel":
        await conversation.send(SWITCH)
        await conversation.send(await conversation.some())
    elif path == "/silent":
        await conversation.rest()
    elif path == "/interim":
        await conversation.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK)
    elif path != "/close":
        await conversation.send(OK)


@contextlib.asynccontextmanager
async def proxied(folder, script=replying, **options):
    async with Member(script) as member, serving(folder, config(member.address, **options)) as proxy:
        yield proxy


async def asked(proxy, *requests, method="GET"):
    """Ask on a connection of its own; the last reply."""
    async with proxy.client() as client:
        for data in requests:
            reply = await client.ask(data, method)
    await eventually(lambda: not proxy.connections)
    return reply


async def left(proxy, data, *, reset=False):
    """Ask, read a little of what comes and go."""
    async with proxy.client(receive_buffer=1 << 14) as client:
        await client.send(data)
        if data.startswith(b"GET /big"):
            await client.some()
        else:
            await eventually(lambda: proxy.member().active)
        if reset:
            client.reset()
    await eventually(lambda: not proxy.connections)


async def pipelined(proxy, reset):
    """Leave while requests wait behind one that is not answered: noticed when a response is written."""
    async with proxy.client() as client:
        client.writer.write(get("/silent") * 5000)
        await eventually(lambda: proxy.member().active)
        if reset:
            client.reset()
    while proxy.connections:
        proxy.pass_time(100)
        await asyncio.sleep(0.005)


async def tunnelled(proxy):
    async with proxy.client() as client:
        assert (await client.ask(get("/tunnel", *UPGRADE))).status == 101
        await client.send(b"hello")
        assert await client.exactly(5) == b"hello"
        await client.closed()
    await eventually(lambda: not proxy.connections)


KINDS = {
    "get": lambda proxy: asked(proxy, get("/keep")),
    "several on one connection": lambda proxy: asked(proxy, get("/keep"), get("/keep/2")),
    "pipelined": lambda proxy: asked(proxy, get("/keep") + get("/keep")),
    "head": lambda proxy: asked(proxy, get("/keep", method="HEAD"), method="HEAD"),
    "post": lambda proxy: asked(proxy, post(b"x" * 1000, target="/keep")),
    "long post": lambda proxy: asked(proxy, post(b"x" * 300_000, target="/keep")),
    "interim": lambda proxy: asked(proxy, get("/interim")),
    "member closes": lambda proxy: asked(proxy, get("/other")),
    "closed unanswered": lambda proxy: asked(proxy, post(b"x", target="/close")),
    "malformed response": lambda proxy: asked(proxy, get("/broken")),
    "malformed request": lambda proxy: asked(proxy, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    "no route": lambda proxy: asked(proxy, get("/keep", host="nowhere")),
    "client gone": lambda proxy: left(proxy, get("/silent")),
    "client gone within the response": lambda proxy: left(proxy, get("/big")),
    "client reset within the response": lambda proxy: left(proxy, get("/big"), reset=True),
    "client gone with requests pipelined": lambda proxy: pipelined(proxy, reset=False),
    "client reset with requests pipelined": lambda proxy: pipelined(proxy, reset=True),
    "client gone within its content": lambda proxy: left(
        proxy, chunked(target="/silent")[:-5] + b"1\r\nx\r\n" * 50_000
    ),
    "client reset within its content": lambda proxy: left(
        proxy, post(b"x" * 300_000, target="/silent")[:-1], reset=True
    ),
    "trailers": lambda proxy: asked(proxy, chunked(b"x", target="/keep", trailers=["X-Sum: 7"])),
    "long trailers": lambda proxy: asked(
        proxy, chunked(b"x", target="/silent", trailers=["X-Trailer: value"] * 10_000)
    ),
    "long head": lambda proxy: asked(proxy, get("/keep", "X: " + "y" * 100_000)),
    "upgrade": tunnelled,
    "upgrade refused": lambda proxy: asked(proxy, get("/keep", *UPGRADE)),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_an_exchange_is_freed_at_its_end(tmp_path, kind):
    async with proxied(tmp_path, route={"match": {"host": "a"}}) as proxy:
        await nothing_survives(lambda: KINDS[kind](proxy))


async def test_an_exchange_whose_member_resets_is_freed(tmp_path):
    async def broken_off(proxy):
        async with proxy.client() as client:
            await client.send(get("/reset"))
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await client.rest()
        await eventually(lambda: not proxy.connections)

    async with proxied(tmp_path) as proxy:
        await nothing_survives(lambda: broken_off(proxy))


async def test_an_exchange_whose_member_refuses_connections_is_freed(tmp_path):
    async with serving(tmp_path, config("127.0.0.1:1")) as proxy:
        await nothing_survives(lambda: asked(proxy, get()))


async def test_an_exchange_whose_time_is_up_is_freed(tmp_path):
    async def timed_out(proxy):
        async with proxy.client() as client:
            await client.send(get("/silent"))
            await eventually(lambda: proxy.member().active)
            proxy.pass_time(100)
            assert (await client.reply()).status == 504
        await eventually(lambda: not proxy.connections)

    async with proxied(tmp_path) as proxy:
        await nothing_survives(lambda: timed_out(proxy))


async def test_exchanges_that_wait_for_a_member_are_freed(tmp_path):
    pool = {"limits": {"connections_per_member": 1, "queue": 10, "queue_timeout": "5s"}}

    async def queued(proxy):
        async with proxy.client() as first, proxy.client() as second, proxy.client() as third:
            await first.send(get("/silent"))
            await eventually(lambda: proxy.member().active)
            await second.send(get("/keep"))
            await third.send(get("/keep"))
            pools = proxy.worker.runtime.pools["app"]
            await eventually(lambda: len(pools.queue) == 2)
            third.close()
            await eventually(lambda: len(pools.queue) == 1)
            first.close()
            assert (await second.reply()).status == 200
        await eventually(lambda: not proxy.connections)

    async with proxied(tmp_path, pool=pool) as proxy:
        await nothing_survives(lambda: queued(proxy))


@pytest.mark.parametrize("winner", ["first", "second"])
async def test_the_tries_of_a_race_are_freed(tmp_path, winner):
    route = {"retries": {"attempts": 1, "hedge": {"after": "10ms"}}}

    async def slow(conversation):
        await conversation.request()
        if winner == "second":
            await conversation.rest()
        else:
            await eventually(lambda: other.requests)
            await conversation.send(OK)

    async def silent(conversation):
        await conversation.request()
        await conversation.rest()

    async def raced(proxy):
        other.requests.clear()
        assert (await asked(proxy, get())).status == 200

    async with (
        Member(slow) as member,
        Member(silent if winner == "first" else answering()) as other,
        serving(
            tmp_path, config(member.address, other.address, pool={"balance": "first"}, route=route)
        ) as proxy,
    ):
        await nothing_survives(lambda: raced(proxy))


async def test_a_retried_exchange_is_freed(tmp_path):
    async with (
        Member(answering(response(b"no", status=503))) as bad,
        Member() as good,
        serving(
            tmp_path,
            config(
                bad.address,
                good.address,
                pool={"balance": "first"},
                route={"retries": {"attempts": 2, "on": ["5xx"]}},
            ),
        ) as proxy,
    ):
        await nothing_survives(lambda: asked(proxy, get()))


@pytest.mark.parametrize("copies", ["answer", "are silent", "are refused"])
async def test_mirrored_copies_are_freed(tmp_path, copies):
    async def silent(conversation):
        await conversation.request()

    async def mirrored(proxy):
        await asked(proxy, get())
        await asked(proxy, post(b"some", target="/"))

    async with Member() as member, Member(silent if copies == "are silent" else None) as other:
        written = config(member.address, route={"mirror": {"pool": "copies"}})
        address = "127.0.0.1:1" if copies == "are refused" else other.address
        written["pools"]["copies"] = {"members": [address]}
        async with serving(tmp_path, written) as proxy:
            await nothing_survives(lambda: mirrored(proxy))


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
@pytest.mark.parametrize("whole", [True, False])
async def test_a_compressed_exchange_is_freed(tmp_path, coding, whole):
    page = b"<p>page</p>" * 1000
    reply = response(page, "Content-Type: text/html", *([] if whole else ["Connection: close"]), length=whole)

    async def script(conversation):
        await conversation.request()
        await conversation.send(reply)

    async with proxied(tmp_path, script, route={"compression": True}) as proxy:
        await nothing_survives(lambda: asked(proxy, get("/", f"Accept-Encoding: {coding}")))


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
@pytest.mark.parametrize("end", ["whole", "broken", "client gone"])
async def test_a_decoded_exchange_is_freed(tmp_path, coding, end):
    page = content_coding(coding, 4).whole(PAGE)
    page = b"nothing" * 100 if end == "broken" else page
    reply = response(page, "Content-Type: text/html", f"Content-Encoding: {coding}")

    async def once():
        if end == "client gone":
            async with proxy.client(receive_buffer=1 << 14) as client:
                await client.send(get())
                await client.some()
            await eventually(lambda: not proxy.connections)
        else:
            await asked(proxy, get())

    async with proxied(tmp_path, answering(reply), route={"compression": True}) as proxy:
        await nothing_survives(once)


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_connections_with_a_proxy_protocol_header_are_freed(tmp_path, version):
    ends = (("203.0.113.9", 4711), ("198.51.100.7", 443))

    async def script(conversation):
        first = await conversation.exactly(6)
        if first == b"PROXY ":
            while await conversation.exactly(1) != b"\n":
                pass
        else:
            rest = await conversation.exactly(10)
            await conversation.exactly(int.from_bytes(rest[8:], "big"))
        await answering()(conversation)

    async def once():
        await asked(proxy, compose(version, ends) + get())
        proxy.member().link.close_idle()
        await eventually(lambda: not proxy.member().link.connections)

    settings = {"listener": {"proxy_protocol": ["127.0.0.0/8"]}, "pool": {"proxy_protocol": version}}
    async with proxied(tmp_path, script, **settings) as proxy:
        await nothing_survives(once)


@pytest.mark.parametrize("mode", [{"cookie": {"timeout": "1h"}}, {"source": {"timeout": "1h"}}])
async def test_sticky_exchanges_are_freed(tmp_path, mode):
    async with proxied(tmp_path, answering(), pool={"persistence": mode}, state="memory") as proxy:
        await nothing_survives(lambda: asked(proxy, get(), get()))


async def test_a_refused_connection_is_freed(tmp_path):
    async def refused():
        async with proxy.client() as first:
            await first.ask(get("/keep"))
            async with proxy.client() as second:
                await second.send(get("/keep"))
                with contextlib.suppress(ConnectionError):
                    await second.rest()
        await eventually(lambda: not (proxy.connections or proxy.listener.state.shedding))

    async with proxied(tmp_path, listener={"limits": {"connections": 1}}) as proxy:
        await nothing_survives(refused)


async def test_a_connection_that_asked_nothing_is_freed(tmp_path):
    async def opened(proxy):
        async with proxy.client():
            await eventually(lambda: proxy.connections)
        await eventually(lambda: not proxy.connections)

    async with proxied(tmp_path) as proxy:
        await nothing_survives(lambda: opened(proxy))
