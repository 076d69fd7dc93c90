"""Connections that died while they were idle: a firewall forgot them, the member resets what is used again."""

import asyncio
import contextlib
import socket

import pytest

from tests.kit.client import get, post
from tests.kit.member import OK, Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

NO_RETRIES = {"retries": False}


class Flaky:
    """Members whose idle connections go dead all at once: `forget()`, then the next byte on one resets it."""

    def __init__(self):
        self.members = []
        self.dead = set()

    async def script(self, conversation):
        while True:
            await conversation.request()
            if conversation in self.dead:
                conversation.reset()
                return
            await asyncio.sleep(0.01)  # so that several are open
            await conversation.send(OK)

    def forget(self):
        for member in self.members:
            self.dead |= set(member.connections)

    @contextlib.asynccontextmanager
    async def open(self, count):
        async with contextlib.AsyncExitStack() as stack:
            self.members = [await stack.enter_async_context(Member(self.script)) for _ in range(count)]
            yield [member.address for member in self.members]


async def ask(proxy, request, count):
    async def one():
        async with proxy.client() as client:
            return (await client.ask(request)).status

    return await asyncio.gather(*[one() for _ in range(count)])


ROUTES = {
    "default": ({}, {}),
    "no retries": (NO_RETRIES, {}),
    "hedged": ({"retries": {"attempts": 1, "hedge": {"after": "1s"}}}, {}),
    "sticky": ({}, {"persistence": {"cookie": {}}}),
    "cached": ({"cache": True}, {}),
}


@pytest.mark.parametrize(("route", "pool"), ROUTES.values(), ids=ROUTES)
async def test_stale_connections_on_all_members_cost_no_idempotent_request(tmp_path, route, pool):
    flaky = Flaky()
    async with (
        flaky.open(3) as addresses,
        serving(tmp_path, config(*addresses, route=route, pool=pool)) as proxy,
    ):
        assert await ask(proxy, get("/warm"), 30) == [200] * 30
        assert sum(link.idle for link in proxy.links) >= 3 or "cache" in route
        for _ in range(2):
            flaky.forget()
            assert await ask(proxy, get(f"/{_}"), 50) == [200] * 50
        assert [proxy.member(number).failures for number in range(3)] == [0, 0, 0]


async def test_a_stale_connection_takes_those_idle_as_long_with_it(tmp_path):
    flaky = Flaky()
    async with flaky.open(1) as addresses, serving(tmp_path, config(*addresses)) as proxy:
        await ask(proxy, get(), 8)
        (link,) = proxy.links
        assert link.idle > 1
        flaky.forget()
        assert await ask(proxy, get(), 1) == [200]
        await eventually(lambda: (link.idle, link.connections) == (1, 1))
        assert proxy.error_log().count("stale_connection") == 1


async def test_a_post_is_never_sent_twice(tmp_path):
    flaky = Flaky()
    async with flaky.open(2) as addresses, serving(tmp_path, config(*addresses)) as proxy:
        await ask(proxy, get(), 8)
        flaky.forget()
        assert 502 in await ask(proxy, post(b"x"), 6)
        sent = [
            request for member in flaky.members for request in member.requests if request.method == "POST"
        ]
        assert len(sent) == 6


async def test_stale_attempts_use_up_neither_attempts_nor_budget(tmp_path):
    """The first finds a stale connection, then the member refuses once: one attempt is left."""
    flaky = Flaky()
    refusals = []

    async def script(conversation):
        await conversation.request()
        if flaky.dead:
            refusals.append(conversation)
            conversation.reset()
        else:
            await conversation.send(OK)
            await script(conversation)

    async with flaky.open(1) as addresses, Member(script) as other:
        route = {"retries": {"attempts": 1}}
        members = (*addresses, {"address": other.address, "backup": True})
        async with serving(tmp_path, config(*members, route=route)) as proxy:
            assert await ask(proxy, get(), 1) == [200]
            flaky.forget()
            flaky.members[0]._server.close()
            assert await ask(proxy, get(), 1) == [502]  # stale, refused, and reset by the other
            assert proxy.access_log()[-1]["attempts"] == 3
            assert len(refusals) == 1


async def test_a_member_that_resets_what_is_used_again_is_not_used_again(tmp_path):
    async def script(conversation):
        await conversation.request()
        await conversation.send(OK)
        await conversation.request()
        conversation.reset()

    async with Member(script) as member, serving(tmp_path, config(member.address)) as proxy:
        async with proxy.client() as client:
            for _ in range(40):
                assert (await client.ask(get())).status == 200
        assert proxy.error_log().count("stale_connection") == 5
        assert "not used again for 60 s" in proxy.error_log()
        assert len(member.requests) == 45


async def test_a_timeout_on_a_used_connection_drops_those_idle_as_long(tmp_path):
    silent = set()

    async def script(conversation):
        while True:
            await conversation.request()
            if conversation in silent:
                await asyncio.Event().wait()
            await asyncio.sleep(0.01)
            await conversation.send(OK)

    async with Member(script) as member, serving(tmp_path, config(member.address)) as proxy:
        await ask(proxy, get(), 6)
        (link,) = proxy.links
        assert link.idle > 1
        silent |= set(member.connections)
        async with proxy.client() as client:
            await client.send(get())
            await eventually(lambda: len(member.requests) == 7)
            proxy.pass_time(61)
            assert (await client.reply()).status == 504
        assert link.idle == 0
        assert await ask(proxy, get(), 3) == [200] * 3


async def test_connections_to_members_are_probed_while_idle(tmp_path):
    async with Member() as member, serving(tmp_path, config(member.address)) as proxy:
        assert await ask(proxy, get(), 1) == [200]
        (connection,) = proxy.links[0]._idle
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
