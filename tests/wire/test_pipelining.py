"""Requests sent before the response to the one before: they wait as bytes, and each client gets its turn."""

import asyncio

import pytest

from tests.kit.client import chunked, get, post
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled


def silent(conversation):
    return conversation.rest()


BEHIND = {
    "a request without content": get("/first"),
    "content of a length": post(b"abc", target="/first"),
    "chunked content": chunked(b"abc", trailers=["X: 1"], target="/first"),
    "an offer of an upgrade": get("/first", "Connection: upgrade", "Upgrade: h2c"),
    "an unknown method": get("/first", method="LIST"),
    "HEAD": get("/first", method="HEAD"),
}


@pytest.mark.parametrize("first", BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("together", [True, False])
async def test_pipelined_bytes_are_not_parsed_and_reading_stops(tmp_path, first, together):
    async with (
        Member(silent) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(first + get("/next") * 5 if together else first)
        await eventually(lambda: member.received)
        if not together:
            await client.send(get("/next") * 5)
        (connection,) = proxy.connections
        await eventually(lambda: connection._unread[connection._start :] == get("/next") * 5)
        client.writer.write(get("/next") * 100_000)
        await settled(50)
        assert len(connection._unread) < 1 << 20
        assert not connection._transport._transport.is_reading()
        assert b"/next" not in member.received


async def test_a_client_gets_one_pipelined_request_per_loop_iteration(tmp_path):
    mapping = config(routes=[{"respond": {"status": 200, "body": "here"}}], pools={})
    async with serving(tmp_path, mapping) as proxy, proxy.client() as many, proxy.client() as other:
        many.writer.write(get() * 2000)
        await eventually(lambda: any(each.requests for each in proxy.connections))
        (busy,) = [each for each in proxy.connections if each.requests]
        for _ in range(5):
            before = busy.requests
            await asyncio.sleep(0)
            assert busy.requests - before <= 2
        assert (await other.ask(get())).body == b"here"
        assert busy.requests < 2000
        for _ in range(2000):
            assert (await many.reply()).status == 200


METHODS = ("GET", "HEAD", "LIST", "get", "POST")


@pytest.mark.parametrize("way", ["whole", "bytewise"])
async def test_a_long_pipeline_is_answered_in_order(client, way):
    requests = []
    for number in range(40):
        method = METHODS[number % len(METHODS)]
        requests.append(
            chunked(b"a" * number, b"b", target=f"/{number}", method=method)
            if number % 3
            else post(b"x" * number, target=f"/{number}", method=method)
        )
    data = b"\r\n".join(requests)
    await (client.send(data) if way == "whole" else client.dribble(data))
    for number in range(40):
        method = METHODS[number % len(METHODS)]
        reply = await client.reply(method)
        expected = b"" if method == "HEAD" else f"{method} /{number} ".encode()
        assert reply.body.startswith(expected)


async def test_many_blank_lines_are_no_deep_recursion(client):
    reply = await client.ask(b"\r\n" * 4000 + get("/1"))
    assert reply.body.startswith(b"GET /1")


async def test_endless_blank_lines_are_refused(client, proxy):
    await client.send(b"\r\n" * 40_000)
    assert (await client.reply()).status in (414, 431)
    client.finish_sending()
    assert await client.closed()


async def test_requests_behind_a_refused_one_are_not_served(client, member):
    await client.send(get("/1") + b"GET / HTTP/1.1\r\nHost : a\r\n\r\n" + get("/smuggled") * 1000)
    assert (await client.reply()).body.startswith(b"GET /1")
    assert (await client.reply()).status == 400
    client.finish_sending()
    assert await client.closed()
    assert b"smuggled" not in member.received


@pytest.mark.parametrize("rest", [1, 100_000])
async def test_a_pipeline_behind_content_over_its_limit_is_not_served(tmp_path, member, rest):
    async with (
        serving(tmp_path, config(member.address, listener={"limits": {"body": "1KB"}})) as proxy,
        proxy.client() as client,
    ):
        data = post(b"x" * (2000 + rest))
        await client.send(data[:-rest])
        assert (await client.reply()).status == 413
        await client.send(data[-rest:] + get("/smuggled"))
        client.finish_sending()
        assert await client.closed()
        assert b"smuggled" not in member.received


async def test_a_request_behind_content_over_its_limit_that_came_whole_is_served(tmp_path, member):
    async with (
        serving(tmp_path, config(member.address, listener={"limits": {"body": "1KB"}})) as proxy,
        proxy.client() as client,
    ):
        await client.send(post(b"x" * 2000) + get("/next"))
        assert (await client.reply()).status == 413
        assert (await client.reply()).body.startswith(b"GET /next")


async def test_a_head_begun_behind_a_request_has_its_time_limit_from_the_response_on(proxy, client):
    await client.send(get("/1") + b"GET / HT")
    assert (await client.reply()).status == 200
    await settled()
    proxy.pass_time(11)
    assert (await client.reply()).status == 408
    client.finish_sending()
    assert await client.closed()
