"""Phases that are awaited: order, back-pressure, the end of their exchange."""

import asyncio

from adc.proxy.gate import MEMBER
from adc.proxy.phases import CLIENT_WRITE
from tests.kit.client import chunked, get, post
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, within
from tests.wire.plugins.plugged import asked, module_of, route


async def test_async_phases_see_both_directions(folder, member):
    reply = await asked(folder, member, chunked(b"a", b"bc" * 50_000), "slow")
    assert member.requests[0].body == b"A" + b"BC" * 50_000
    assert (member.requests[0][b"x-slow"], reply[b"x-slow"]) == (b"1", b"1")
    assert reply.body.startswith(b"post / http")


async def test_async_and_plain_phases_keep_their_order(folder, member):
    await asked(folder, member, post(b"a"), "pieces", "slow", "whole")
    assert member.requests[0].body == b"<BB!>"


async def test_large_content_passes_async_phases_whole(folder):
    body = b"abc" * 700_000
    async with Member(answering(response(body=body))) as member:
        reply = await asked(folder, member, post(body), "slow")
        assert reply.body == body.swapcase()
        assert member.requests[0].body == body.upper()


async def test_an_async_phase_ends_with_its_exchange(folder, member):
    async with serving(folder, config(member.address, **route("never", folder=folder))) as proxy:
        async with proxy.client() as client:
            await client.send(get())
            await eventually(lambda: proxy.listener.service.active)
        await within(module_of(proxy).cancelled.wait())


async def test_an_async_phase_over_its_timeout_fails(folder, member):
    reply = await asked(folder, member, get(), {"never": {"timeout": "20ms"}})
    assert (reply.status, member.requests) == (500, [])


async def test_a_slow_reader_stops_a_response_through_async_phases(folder):
    body = b"x" * (8 << 20)
    async with Member(answering(response(body=body))) as member:
        plugins = route("slow", folder=folder)
        async with (
            serving(folder, config(member.address, **plugins)) as proxy,
            proxy.client(receive_buffer=4096) as client,
        ):
            await client.send(get())
            await eventually(
                lambda: any(each.phase is CLIENT_WRITE for each in proxy.listener.service.active)
            )
            (exchange,) = proxy.listener.service.active
            before = exchange.bytes_out
            for _ in range(10):
                await asyncio.sleep(0.01)
            assert exchange.bytes_out - before <= 1 << 20
            assert (await client.reply()).body == body.swapcase()


async def test_a_slow_member_stops_a_request_through_async_phases(folder):
    go = asyncio.Event()

    async def script(conversation):
        await conversation.head()
        await go.wait()
        end = b""
        while not end.endswith(b"0\r\n\r\n"):
            end = (end + await conversation.some())[-5:]
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with (
        Member(script, receive_buffer=4096) as member,
        serving(folder, config(member.address, **route("slow", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        sending = asyncio.ensure_future(client.send(post(b"x" * (8 << 20))))
        await eventually(lambda: any(each.content_holds & MEMBER for each in proxy.listener.service.active))
        (exchange,) = proxy.listener.service.active
        before = exchange.bytes_in
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert exchange.bytes_in - before <= 1 << 20
        go.set()
        await sending
        assert (await client.reply()).status == 200
