"""Streams whose content both sides send slowly: once the response has begun, only `idle` and `total` limit them."""

import asyncio
import contextlib

import pytest

from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"1\r\nx\r\n"


class Talk:
    """One stream: the client's end, and the member's conversation once it has the request head."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.there = None

    async def say(self):
        """The client sends a byte, which reaches the member."""
        await self.client.send(CHUNK)
        assert await self.there.exactly(len(CHUNK)) == CHUNK

    async def hear(self):
        """The member sends a byte, which reaches the client."""
        await self.there.send(CHUNK)
        assert await self.client.exactly(len(CHUNK)) == CHUNK


@contextlib.asynccontextmanager
async def talking(folder, **options):
    """A POST whose response has begun before its content is complete."""
    async with contextlib.AsyncExitStack() as stack:

        async def script(conversation):
            await conversation.head()
            await conversation.send(HEAD)
            talk.there = conversation
            await done.wait()

        done = asyncio.Event()
        member = await stack.enter_async_context(Member(script))
        proxy = await stack.enter_async_context(serving(folder, config(member.address, **options)))
        client = await stack.enter_async_context(proxy.client())
        talk = Talk(proxy, client)
        await client.send(get("/", "Transfer-Encoding: chunked", method="POST"))
        reply = b""
        while not reply.endswith(b"\r\n\r\n"):
            reply += await client.some()
        await eventually(lambda: talk.there)
        yield talk
        done.set()


@pytest.mark.parametrize("turns", [("say",), ("hear",), ("say", "hear")], ids=["client", "member", "both"])
async def test_a_slow_stream_lasts_while_bytes_move_in_either_direction(tmp_path, turns):
    async with talking(tmp_path) as talk:
        for number in range(8):
            await getattr(talk, turns[number % len(turns)])()
            talk.proxy.pass_time(50)  # longer than `request_body`, and far below `body_rate`
        await talk.say()
        await talk.hear()


async def test_a_stream_without_a_byte_ends_with_idle(tmp_path):
    async with talking(tmp_path) as talk:
        await talk.say()
        talk.proxy.pass_time(59)
        await talk.say()
        talk.proxy.pass_time(61)
        assert await talk.client.closed()  # without a last chunk
        assert talk.proxy.access_log()[0]["end_reason"] == "idle_timeout"


async def test_a_stream_ends_with_total_however_lively(tmp_path):
    async with talking(tmp_path, route={"timeouts": {"total": "50s"}}) as talk:
        await talk.say()
        await talk.hear()
        talk.proxy.pass_time(45)
        await talk.say()
        await talk.hear()
        talk.proxy.pass_time(51)
        assert await talk.client.closed()  # without a last chunk
        assert talk.proxy.access_log()[0]["end_reason"] == "total_timeout"


async def test_content_before_the_response_keeps_its_own_limits(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/", "Transfer-Encoding: chunked", method="POST") + CHUNK)
        await eventually(lambda: member.connections and member.connections[0].received.endswith(CHUNK))
        proxy.pass_time(31)
        assert (await client.reply()).status == 408
