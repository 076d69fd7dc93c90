"""Closes that adc decides on: a client that still sends reads the whole response and an orderly end, never a reset."""

import asyncio
import contextlib

import pytest

from adc.proxy.phases import REQUEST_BODY
from tests.kit.authority import Authority
from tests.kit.client import chunked, get, post
from tests.kit.member import Member, answering, echo, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled
from tests.wire.tls.terminating import client_of

ROUTES = [
    {"match": {"path": "/here"}, "respond": {"status": 200, "body": "here" * 5000}},
    {"match": {"path": "/moved"}, "redirect": {"to": "/new"}},
    {"match": {"path": "/app"}, "pool": "app"},
    {"match": {"path": "/small"}, "pool": "app", "limits": {"body": "1KB"}},
]
PART = get("/here", "Content-Length: 10000000", method="POST") + b"x" * 1000

ENDS = {
    "a malformed request": (get("/here", "X : a"), 400),
    "a method that is not served": (get("/here", method="TRACE"), 405),
    "an unknown expectation": (get("/here", "Expect: x"), 417),
    "a long target": (get("/" + "x" * 9000), 414),
    "a large header": (get("/here", "X: " + "x" * 40_000), 431),
    "another version": (get("/here", version="2.0"), 505),
    "no route, with content": (PART.replace(b"/here", b"/none"), 404),
    "a response made here": (PART, 200),
    "a redirect": (PART.replace(b"/here", b"/moved"), 302),
    "content over its limit": (PART.replace(b"/here", b"/small"), 413),
    "chunked content over its limit": (chunked(b"x" * 2000, target="/small")[:-5], 413),
    "a malformed chunk": (chunked(b"x", target="/here")[:-5] + b"q\r\n", 400),
    "large trailers": (chunked(b"x", target="/here")[:-2] + b"X: y\r\n" * 9000, 431),
    "an early response of the member": (PART.replace(b"/here", b"/app"), 401),
}
LAST = {
    "a client that closes": (get("/here", "Connection: close"), 200),
    "a client that closes, at the member": (get("/app", "Connection: close"), 401),
    "HTTP/1.0": (get("/here", version="1.0"), 200),
}
"""Requests whose client says that it sends no more: nothing is waited for unless something has come."""
JUNK = get("/junk") + b"z" * 30_000


async def early(conversation):
    await conversation.head()
    await conversation.send(response(b"no", status=401))
    await conversation.rest()


@contextlib.asynccontextmanager
async def started(tmp_path, secure=False, script=None, **listener):
    """A proxy, and a function that connects to it."""
    authority = Authority(tmp_path / "ca") if secure else None
    if authority:
        listener["tls"] = {"certificates": [authority.issue("a.test")]}
    async with Member(script or early) as member:
        mapping = {**config(member.address, listener=listener), "routes": ROUTES}
        async with serving(tmp_path / "run", mapping) as proxy:
            yield proxy, lambda: client_of(proxy, authority.context()) if authority else proxy.client()


async def orderly_end(client):
    """The client goes on sending, and reads to the end; True if that was no reset."""
    for _ in range(3):
        client.writer.write(JUNK)
        await settled(3)
    if client.writer.can_write_eof():
        client.finish_sending()
    return await client.closed()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize(("request_", "status"), ENDS.values(), ids=ENDS)
async def test_a_client_that_sends_on_reads_the_whole_response(tmp_path, request_, status, secure):
    async with started(tmp_path, secure) as (proxy, connect), connect() as client:
        client.writer.write(request_)
        reply = await client.reply()
        assert (reply.status, reply[b"connection"]) == (status, b"close")
        assert len(reply.body) == int(reply[b"content-length"])
        assert await orderly_end(client)
        await eventually(lambda: not proxy.connections)


@pytest.mark.parametrize(("request_", "status"), (ENDS | LAST).values(), ids=ENDS | LAST)
async def test_input_behind_the_last_request_is_no_reset(tmp_path, request_, status):
    async with started(tmp_path) as (_, connect), connect() as client:
        client.writer.write(request_ + JUNK)
        assert (await client.reply()).status in (status, 400)  # as content it may be malformed
        assert await orderly_end(client)


async def test_input_that_was_not_read_yet_is_no_reset(tmp_path):
    gate = asyncio.Event()

    async def script(conversation):
        await conversation.head()
        await gate.wait()
        await conversation.send(response(b"no", status=401))

    async with started(tmp_path, script=script) as (proxy, connect), connect() as client:
        await client.send(get("/app", "Connection: close"))
        await eventually(lambda: proxy.listener.service.active)
        (connection,) = proxy.connections
        connection._pause()
        await client.send(JUNK)
        gate.set()
        assert (await client.reply()).status == 401
        assert await orderly_end(client)


@pytest.mark.parametrize(("request_", "status"), LAST.values(), ids=LAST)
async def test_a_client_that_said_that_it_closes_is_not_waited_for(tmp_path, request_, status):
    async with started(tmp_path) as (proxy, connect), connect() as client:
        assert (await client.ask(request_)).status == status
        await eventually(lambda: not proxy.connections)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_the_last_request_of_a_connection_is_no_reset_for_the_next(tmp_path, secure):
    async with (
        started(tmp_path, secure, limits={"requests_per_connection": 2}) as (_, connect),
        connect() as client,
    ):
        assert (await client.ask(get("/here"))).status == 200
        assert (await client.ask(get("/here") + get("/here")))[b"connection"] == b"close"
        assert await orderly_end(client)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_a_request_that_meets_the_end_of_an_idle_connection_is_no_reset(tmp_path, secure):
    async with started(tmp_path, secure) as (proxy, connect), connect() as client:
        assert (await client.ask(get("/here"))).status == 200
        proxy.pass_time(76)
        assert await orderly_end(client)
        await eventually(lambda: not proxy.connections)


async def test_an_idle_connection_that_its_client_leaves_open_is_closed_a_second_later(tmp_path):
    async with started(tmp_path) as (proxy, connect), connect() as client:
        assert (await client.ask(get("/here"))).status == 200
        for seconds in (76, 1.1):
            assert proxy.connections
            proxy.pass_time(seconds)
        await eventually(lambda: not proxy.connections)


async def test_a_client_that_sends_on_after_an_error_is_closed_after_30_seconds(tmp_path):
    async with started(tmp_path) as (proxy, connect), connect() as client:
        client.writer.write(get("/here", "X : a"))
        assert (await client.reply()).status == 400
        (connection,) = proxy.connections
        first = connection.deadline
        for _ in range(4):
            proxy.advance_clock(4)
            before = connection.deadline
            client.writer.write(JUNK)
            await eventually(lambda before=before: connection.deadline > before)
        assert connection.deadline > first + 10
        proxy.advance_clock(40)
        client.writer.write(JUNK)
        await eventually(lambda: connection.deadline <= proxy.worker.clock.now)
        proxy.pass_time(0)
        await eventually(lambda: not proxy.connections)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_a_drain_is_no_reset(tmp_path, secure):
    async with (
        started(tmp_path, secure, answering(echo)) as (proxy, connect),
        connect() as idle,
        connect() as active,
    ):
        for client in (idle, active):
            assert (await client.ask(get("/app"))).status == 200
        proxy.listener.drain()
        assert (await active.ask(get("/app")))[b"connection"] == b"close"
        assert await orderly_end(active)
        proxy.pass_time(1.1)
        assert await orderly_end(idle)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_a_request_that_is_late_is_no_reset(tmp_path, secure):
    async with started(tmp_path, secure, lambda conversation: conversation.rest()) as (proxy, connect):
        for start, wait in (
            (b"GET / HT", lambda proxy: True),
            (post(b"abc", target="/app")[:-2], in_content),
        ):
            async with connect() as client:
                client.writer.write(start)
                await eventually(lambda: proxy.connections)
                await eventually(lambda wait=wait: wait(proxy))
                await settled()
                proxy.pass_time(40)
                assert (await client.reply()).status == 408
                assert await orderly_end(client)
                await eventually(lambda: not proxy.connections)


def in_content(proxy):
    return any(each.phase is REQUEST_BODY for each in proxy.listener.service.active)
