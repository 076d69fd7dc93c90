"""NTLM and Negotiate authenticate a connection: a member connection on which a client did is that client's alone."""

import asyncio

import pytest

from tests.kit.client import get, post
from tests.kit.member import Member, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

OFFER = response(b"who", "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM", status=401)
CHALLENGE = response(b"prove", "WWW-Authenticate: NTLM TlRMTVNTUAAC", status=401)
FIRST, THIRD = "Authorization: NTLM TlRMTVNTUAAB", "Authorization: NTLM TlRMTVNTUAAD-{}"


async def iis(conversation):
    """A member that answers for whoever has authenticated on the connection."""
    user = challenged = None
    while True:
        request = await conversation.request()
        credentials = request[b"authorization"] if b"authorization" in request else b""  # noqa: SIM401
        if credentials and credentials.startswith(b"NTLM TlRMTVNTUAAB"):
            challenged = True
            await conversation.send(CHALLENGE)
        elif credentials and challenged:
            user = credentials.partition(b"-")[2]
            await conversation.send(response(b"hello " + user))
        elif user:
            await conversation.send(response(b"page of " + user, "Cache-Control: public, max-age=60"))
        else:
            await conversation.send(OFFER)


async def log_in(client, user, request=get):
    assert (await client.ask(request("/page"))).status == 401
    assert (await client.ask(request("/page", FIRST))).body == b"prove"
    assert (await client.ask(request("/page", THIRD.format(user)))).body == b"hello " + user.encode()


ROUTES = {
    "plain": ({}, {}),
    "sticky by a cookie that is not sent back": ({}, {"persistence": {"cookie": {}}}),
    "cached": ({"cache": True}, {}),
    "hedged": ({"retries": {"attempts": 1, "hedge": {"after": "1ms"}}}, {}),
    "sticky": ({}, {"persistence": {"source": {}}}),
    "queued": ({}, {"limits": {"connections_per_member": 1, "queue": 10}}),
    "retrying": ({"retries": {"attempts": 2, "on": ["401", "reset_before_response"]}}, {}),
}


@pytest.mark.parametrize(("route", "pool"), ROUTES.values(), ids=ROUTES)
async def test_an_authenticated_connection_serves_its_client_alone(tmp_path, route, pool):
    async with (
        Member(iis) as one,
        Member(iis) as two,
        serving(tmp_path, config(one.address, two.address, route=route, pool=pool)) as proxy,
        proxy.client() as alice,
        proxy.client() as bob,
    ):
        await log_in(alice, "alice")
        for _ in range(6):
            assert (await alice.ask(get("/page"))).body == b"page of alice"
            assert (await bob.ask(get("/page"))).status == 401
        await log_in(bob, "bob")
        for _ in range(6):
            assert (await alice.ask(get("/page"))).body == b"page of alice"
            assert (await bob.ask(get("/page"))).body == b"page of bob"
        async with proxy.client() as nobody:
            for _ in range(4):
                assert (await nobody.ask(get("/page"))).status == 401


async def test_the_connection_is_closed_with_its_client(tmp_path):
    async with Member(iis) as member, serving(tmp_path, config(member.address)) as proxy:
        async with proxy.client() as client:
            await log_in(client, "alice")
            assert len(member.connections) == 1
            assert (proxy.links[0].idle, proxy.links[0].connections) == (0, 1)
        await eventually(lambda: proxy.links[0].connections == 0)


async def test_credentials_that_come_unasked_tie_the_connection(tmp_path):
    async with (
        Member(iis) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as alice,
        proxy.client() as bob,
    ):
        assert (await alice.ask(get("/page", FIRST))).body == b"prove"
        assert (await bob.ask(get("/page", THIRD.format("bob")))).status == 401
        assert (await alice.ask(get("/page", THIRD.format("alice")))).body == b"hello alice"
        assert (await bob.ask(get("/page"))).status == 401


async def test_half_a_handshake_is_not_moved_to_another_connection(tmp_path):
    async def script(conversation):
        await conversation.request()
        await conversation.send(CHALLENGE)
        await conversation.request()
        conversation.reset()

    async with (
        Member(script) as one,
        Member(script) as two,
        serving(tmp_path, config(one.address, two.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/", FIRST))).status == 401
        assert (await client.ask(get("/", THIRD.format("x")))).status == 502
        assert len(one.requests) + len(two.requests) == 2


async def test_a_kept_connection_that_closed_is_replaced(tmp_path):
    async with (
        Member(iis) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await log_in(client, "alice")
        member.connections[0].close()
        await eventually(lambda: proxy.links[0].connections == 0)
        assert (await client.ask(get("/page"))).status == 401
        await log_in(client, "alice")


async def test_a_disabled_member_gets_nothing_over_a_kept_connection(tmp_path):
    async with (
        Member(iis) as one,
        Member(iis) as two,
        serving(tmp_path, config(one.address, two.address)) as proxy,
        proxy.client() as client,
    ):
        await log_in(client, "alice")
        used = 0 if one.requests else 1
        address = (one, two)[used].address
        proxy.set_admin(address, "disabled")
        assert (await client.ask(get("/page"))).status == 401


async def test_other_schemes_share_connections(tmp_path):
    basic = response(b"who", 'WWW-Authenticate: Basic realm="a"', status=401)

    async def script(conversation):
        while True:
            await conversation.request()
            await conversation.send(basic)

    async with Member(script) as member, serving(tmp_path, config(member.address)) as proxy:
        for _ in range(3):
            async with proxy.client() as client:
                assert (await client.ask(get("/", "Authorization: Basic YTpi"))).status == 401
        assert len(member.connections) == 1


async def test_many_clients_at_once_never_see_each_other(tmp_path):
    async with Member(iis) as member, serving(tmp_path, config(member.address)) as proxy:

        async def session(user):
            async with proxy.client() as client:
                await log_in(client, user)
                for _ in range(10):
                    assert (await client.ask(post(b"x", target="/page"))).body == b"page of " + user.encode()

        async def stranger():
            async with proxy.client() as client:
                for _ in range(20):
                    assert (await client.ask(get("/page"))).status == 401

        await asyncio.gather(*[session(f"u{number}") for number in range(8)], *[stranger() for _ in range(8)])


@pytest.mark.parametrize("blank", [" ", "\t", "  "])
async def test_the_scheme_ends_at_any_blank(tmp_path, blank):
    async with (
        Member(iis) as one,
        Member(iis) as two,
        serving(tmp_path, config(one.address, two.address, route={"cache": True})) as proxy,
        proxy.client() as alice,
        proxy.client() as bob,
    ):
        tied = f"Authorization: NTLM{blank}first"
        assert (await alice.ask(get("/page", tied))).status == 401
        connections = len(one.connections) + len(two.connections)
        assert (await bob.ask(get("/page", tied))).status == 401
        assert len(one.connections) + len(two.connections) == connections + 1
