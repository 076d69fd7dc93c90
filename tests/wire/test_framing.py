"""How messages end, in both directions (RFC 9112 sections 6 and 7)."""

import asyncio

import pytest

from tests.kit.client import chunked, get, post
from tests.kit.member import Member, answering, echo, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually


async def exchange(tmp_path, script, request, method="GET"):
    """What a client gets that sends `request` to a proxy whose member runs `script`: (reply, whether it
    was closed).
    """
    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(request, method)
        return reply, member


def cut(data):
    async def script(conversation):
        await conversation.request()
        for position in range(len(data)):
            await conversation.send(data[position : position + 1])
            await asyncio.sleep(0)
        await conversation.rest()

    return script


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n1;ext=1\r\n!\r\n0\r\nX-Trailer: 1\r\n\r\n"
)


@pytest.mark.parametrize("script", [answering(CHUNKED), cut(CHUNKED)], ids=["whole", "bytewise"])
async def test_a_chunked_response_is_delivered_without_its_trailer(tmp_path, script):
    reply, _ = await exchange(tmp_path, script, get())
    assert reply.body == b"hello!"
    assert b"transfer-encoding" in reply or reply[b"content-length"] == b"6"
    assert reply.trailers == []
    assert b"x-trailer" not in reply


async def test_a_chunked_response_in_one_read_to_http_1_0_is_delimited_by_the_close(tmp_path):
    reply, _ = await exchange(tmp_path, cut(CHUNKED), get(version="1.0"))
    assert reply.body == b"hello!"
    assert b"transfer-encoding" not in reply
    assert reply[b"connection"] == b"close"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_close_delimited_response_is_delivered_whole(tmp_path, version):
    async def script(conversation):
        await conversation.request()
        await conversation.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000)
        await asyncio.sleep(0.01)
        await conversation.send(b"y")

    reply, _ = await exchange(tmp_path, script, get(version=version))
    assert reply.body == b"x" * 5000 + b"y"
    assert (b"transfer-encoding" in reply) == (version == "1.1")


async def test_an_http_1_0_response_is_delivered(tmp_path):
    async def script(conversation):
        await conversation.request()
        await conversation.send(b"HTTP/1.0 200 OK\r\n\r\nold")

    reply, _ = await exchange(tmp_path, script, get())
    assert (reply.status, reply.body) == (200, b"old")


@pytest.mark.parametrize("way", ["whole", "bytewise"])
async def test_a_chunked_request_reaches_the_member_chunked_with_its_trailer(tmp_path, way):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        data = chunked(b"abc", b"\r\n\r\n", b"0\r\n\r\n", trailers=["X-T: 1"])
        await (client.send(data) if way == "whole" else client.dribble(data))
        assert (await client.reply()).status == 200
        (seen,) = member.requests
        assert seen.body == b"abc\r\n\r\n0\r\n\r\n"
        assert seen.trailers == [(b"x-t", b"1")]
        assert b"x-t" not in seen
        assert (await client.ask(get("/next"))).status == 200


@pytest.mark.parametrize("way", ["whole", "bytewise"])
async def test_content_of_known_length_keeps_its_length(tmp_path, way):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        data = post(b"\r\n\r\nGET / HTTP/1.1\r\n")
        await (client.send(data) if way == "whole" else client.dribble(data))
        assert (await client.reply()).status == 200
        assert member.requests[0][b"content-length"] == b"20"
        assert member.requests[0].body == b"\r\n\r\nGET / HTTP/1.1\r\n"


async def test_an_empty_post_says_so(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.ask(post(b""))
        assert member.requests[0][b"content-length"] == b"0"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
async def test_a_response_to_head_has_no_content_and_the_connections_go_on(tmp_path, head):
    async with (
        Member(answering(head, response(b"second"))) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        first = await client.ask(get(method="HEAD"), "HEAD")
        second = await client.ask(get())
        assert (first.status, second.body) == (200, b"second")
        assert first.all(b"content-length") == ([b"12"] if b"12" in head else [])
        assert proxy.access_log()[0]["bytes_out"] == 0


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_content_ends_with_its_head(tmp_path, status):
    head = b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status
    async with (
        Member(answering(head, response(b"second"))) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        first = await client.ask(get())
        second = await client.ask(get())
        assert (first.status, second.body) == (status, b"second")
        assert first.all(b"content-length") == ([b"5"] if status == 304 else [])
        assert len(member.connections) == 1


async def test_content_sent_in_answer_to_head_is_not_the_next_response(tmp_path):
    async with (
        Member(answering(response(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), echo)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get(method="HEAD"), "HEAD")).status == 200
        reply = await client.ask(get("/mine"))
        assert b"GET /mine" in reply.body
        assert len(member.connections) == 2


async def test_a_member_that_answers_twice_loses_its_connection(tmp_path):
    twice = response(b"one") + response(b"evil")
    async with (
        Member(answering(twice, response(b"two"))) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        bodies = [(await client.ask(get())).body for _ in range(2)]
        assert bodies == [b"one", b"two"]
        assert len(member.connections) == 2


async def test_bytes_from_an_idle_member_close_its_connection(tmp_path):
    async with (
        Member(answering(response(b"one"), response(b"two"))) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get())).body == b"one"
        await member.connections[0].send(response(b"evil"))
        await eventually(lambda: proxy.links[0].connections == 0)
        assert (await client.ask(get())).body == b"two"


BAD_RESPONSES = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "a signed length": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
    "a huge length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nab",
    "two codings": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bare CR in a field": b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nab",
    "NUL in a field": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\nab",
    "garbage": b"this is not HTTP\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>",
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
    "a request": get(),
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nab",
    "a status below 100": b"HTTP/1.1 099 No\r\nContent-Length: 2\r\n\r\nab",
    "an unasked switch": b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\n" + b"X-Y: " + b"y" * (300 << 10),
}


@pytest.mark.parametrize("data", BAD_RESPONSES.values(), ids=BAD_RESPONSES)
async def test_an_ambiguous_response_is_502_and_its_connection_dropped(tmp_path, data):
    async with (
        Member(answering(data)) as member,
        serving(tmp_path, config(member.address, route={"retries": {"attempts": 0}})) as proxy,
    ):
        async with proxy.client() as client:
            reply = await client.ask(get())
            assert reply.status == 502
            assert b"evil" not in reply.raw
            assert reply[b"proxy-status"].startswith(b"adc; error=http_")
            await eventually(lambda: proxy.links[0].connections == 0)
        assert "member_failed" in proxy.error_log()
        assert proxy.access_log()[0]["end_reason"] == "bad_response"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5x\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nffffffffffffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello-world\r\n",
    ],
)
async def test_a_chunk_that_breaks_the_rules_breaks_the_response_off(tmp_path, data):
    async def script(conversation):
        await conversation.request()
        await conversation.send(data[:55])
        await asyncio.sleep(0.02)
        await conversation.send(data[55:])
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get())
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError, AssertionError)):
            await client.reply()
        assert b"0\r\n\r\n" not in client.received
