"""Persistent connections (RFC 9112 section 9.3) and pipelining."""

import pytest

from tests.kit.client import chunked, get, post
from tests.kit.member import Member, answering, echo, response
from tests.kit.proxy import config, serving


@pytest.fixture
async def member():
    async with Member(answering(echo)) as member:
        yield member


@pytest.fixture
async def proxy(tmp_path, member):
    async with serving(tmp_path, config(member.address)) as proxy:
        yield proxy


@pytest.fixture
async def client(proxy):
    async with proxy.client() as client:
        yield client


async def test_two_requests_share_a_connection(client):
    first = await client.ask(get("/1"))
    second = await client.ask(get("/2"))
    assert (first.body[:8], second.body[:8]) == (b"GET /1 H", b"GET /2 H")
    assert b"connection" not in second


async def test_http_1_1_close_is_answered_with_close(client):
    reply = await client.ask(get("/", "Connection: close"))
    assert reply[b"connection"] == b"close"
    assert await client.closed()


async def test_http_1_0_closes_unless_asked_to_keep_alive(client):
    reply = await client.ask(get("/", version="1.0"))
    assert reply[b"connection"] == b"close"
    assert await client.closed()


async def test_http_1_0_keep_alive_is_granted(client):
    first = await client.ask(get("/1", "Connection: keep-alive", version="1.0"))
    second = await client.ask(get("/2", "Connection: Keep-Alive", version="1.0"))
    assert first[b"connection"] == second[b"connection"] == b"keep-alive"
    assert second.body.startswith(b"GET /2")


async def test_a_member_always_gets_a_host(client):
    reply = await client.ask(get("/", version="1.0", host=None))
    assert b"\r\nHost: \r\n" in reply.body


PIPELINE = (
    get("/1")
    + post(b"x" * 9, target="/2")
    + chunked(b"abc", b"\r\n\r\n", trailers=["X-Leak: 1"], target="/3")
)


@pytest.mark.parametrize("way", ["whole", "bytewise", "halves"])
async def test_pipelined_requests_are_answered_in_order(client, way):
    data = PIPELINE + get("/4") + chunked(b"q", trailers=["X-Leak: 1", "X-More: 2"], target="/5") + get("/6")
    if way == "whole":
        await client.send(data)
    elif way == "bytewise":
        await client.dribble(data)
    else:
        await client.send(data[: len(data) // 2])
        await client.send(data[len(data) // 2 :])
    replies = [await client.reply() for _ in range(6)]
    assert [reply.body.split(b" ")[1] for reply in replies] == [b"/1", b"/2", b"/3", b"/4", b"/5", b"/6"]
    assert all(b"X-Leak" not in reply.body and b"X-More" not in reply.body for reply in replies)
    assert b"abc" in replies[2].body
