"""Clients that end their half of the connection behind their requests: they wait for the responses."""

import asyncio

import pytest

from tests.kit.client import chunked, get, post
from tests.kit.member import Member, answering, echo, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled

HERE = {"match": {"path": "/here"}, "respond": {"status": 200, "body": "here"}}


class Gated:
    """A member that answers once `gate` is set."""

    def __init__(self):
        self.gate = asyncio.Event()

    async def __call__(self, conversation):
        while True:
            request = await conversation.request()
            await self.gate.wait()
            await conversation.send(echo(request))


def in_flight(proxy):
    return len(proxy.listener.service.active)


REQUESTS = {
    "a request": [get("/1")],
    "content": [post(b"x" * 100_000, target="/1")],
    "small chunks": [chunked(*[b"x"] * 2000, target="/1")],
    "HTTP/1.0": [get("/1", version="1.0")],
    "an unusual request": [get("/1", "ETag: a", "ETag: b", method="LIST")],
    "pipelined": [get(f"/{number}") for number in range(20)],
    "pipelined content": [post(b"x" * number * 300, target=f"/{number}") for number in range(20)],
    "closing": [get("/1", "Connection: close")],
}


@pytest.mark.parametrize("requests", REQUESTS.values(), ids=REQUESTS)
async def test_requests_before_a_half_close_get_their_responses(tmp_path, requests):
    async with (
        Member(answering(echo)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        client.writer.write(b"".join(requests))
        client.finish_sending()
        for request in requests:
            start = request.split(b" HTTP")[0]
            assert (await client.reply()).body.split(b" HTTP")[0] == start
        assert await client.closed()
        await eventually(lambda: not proxy.connections)


async def test_a_response_made_here_and_one_of_a_member_follow_each_other(tmp_path):
    async with Member(answering(echo)) as member:
        mapping = config(member.address)
        mapping["routes"].insert(0, HERE)
        async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
            client.writer.write((get("/here") + get("/1")) * 3 + get("/here"))
            client.finish_sending()
            bodies = [(await client.reply()).body for _ in range(7)]
            assert [body[:4] for body in bodies] == [b"here", b"GET "] * 3 + [b"here"]
            assert await client.closed()


@pytest.mark.parametrize(
    "rest",
    [b"GET / HTTP", post(b"abc")[:-1], chunked(b"abc")[:-2], b"\r\n"],
    ids=["a head", "content", "chunks", "a blank line"],
)
async def test_half_a_request_before_a_half_close_is_not_waited_for(tmp_path, rest):
    async with (
        Member(answering(echo)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        client.writer.write(get("/1") + rest)
        client.finish_sending()
        assert (await client.reply()).status == 200
        assert await client.closed()
        await eventually(lambda: not proxy.connections)
        await eventually(lambda: not in_flight(proxy))


async def test_a_late_response_reaches_a_client_within_its_time_limit(tmp_path):
    script = Gated()
    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/1"))
        await eventually(lambda: member.requests)
        client.finish_sending()
        await settled()
        proxy.pass_time(4)
        script.gate.set()
        assert (await client.reply()).body.startswith(b"GET /1")
        assert await client.closed()


async def test_a_client_that_may_be_gone_is_taken_to_be_after_its_time_limit(tmp_path):
    async with (
        Member(lambda conversation: conversation.rest()) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/1"))
        await eventually(lambda: member.received)
        client.finish_sending()
        (connection,) = proxy.connections
        await eventually(lambda: connection._half_closed)
        assert in_flight(proxy) == 1
        proxy.pass_time(5.1)
        await eventually(lambda: not proxy.connections)
        (record,) = proxy.access_log()
        assert (record["status"], record["end_reason"]) == (499, "client_gone")
        assert proxy.member().failures == proxy.member().active == 0


async def test_a_response_that_has_begun_is_sent_to_its_end(tmp_path):
    gate = asyncio.Event()

    async def script(conversation):
        await conversation.request()
        await conversation.send(response(b"x" * 10)[:-5])
        await gate.wait()
        await conversation.send(b"y")
        gate.clear()
        await gate.wait()
        await conversation.send(b"zzzz")

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/1"))
        await eventually(lambda: member.requests)
        client.finish_sending()
        (connection,) = proxy.connections
        await eventually(lambda: connection._half_closed)
        gate.set()
        await eventually(lambda: not gate.is_set())
        await settled()
        proxy.pass_time(20)
        await settled()
        gate.set()
        assert (await client.reply()).body == b"xxxxxyzzzz"
        assert await client.closed()


async def test_a_client_that_has_left_is_noticed_by_the_first_bytes_of_the_response(tmp_path):
    script = Gated()
    async with Member(script) as member, serving(tmp_path, config(member.address)) as proxy:
        async with proxy.client() as client:
            await client.send(get("/1") + get("/2"))
            await eventually(lambda: member.requests)
            client.writer.transport.abort()  # an end without a reset
            await client.writer.wait_closed()
        script.gate.set()
        await eventually(lambda: not proxy.connections)


async def test_the_time_limit_is_an_option(tmp_path):
    async with (
        Member(lambda conversation: conversation.rest()) as member,
        serving(tmp_path, config(member.address, listener={"timeouts": {"half_closed": "0s"}})) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/1"))
        await eventually(lambda: member.received)
        client.finish_sending()
        (connection,) = proxy.connections
        await eventually(lambda: connection._half_closed)
        assert connection.deadline == float("inf")
