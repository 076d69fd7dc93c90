import socket

import pytest

from adc.net.proxy_protocol import SIGNATURE, HeaderReader, compose
from tests.kit.authority import Authority, tls_client
from tests.kit.client import get
from tests.kit.member import OK, Member, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

ENDS = (("203.0.113.9", 4711), ("198.51.100.7", 443))
BELIEVED = {"proxy_protocol": ["127.0.0.0/8"]}


@pytest.fixture
async def member():
    async with Member() as member:
        yield member


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_client_of_the_header_is_the_client_everywhere(tmp_path, member, version):
    mapping = config(member.address, listener=BELIEVED, route={"match": {"source": "203.0.113.0/24"}})
    async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
        reply = await client.ask(compose(version, ENDS) + get())
        assert reply.status == 200
        (record,) = proxy.access_log()
    assert record["client"] == "203.0.113.9"
    assert member.requests[0][b"x-forwarded-for"] == b"203.0.113.9"


MAPPED = [
    b"PROXY TCP6 ::ffff:203.0.113.9 ::ffff:198.51.100.7 4711 443\r\n",
    compose("v2", (("::ffff:203.0.113.9", 4711), ("::ffff:198.51.100.7", 443))),
]


@pytest.mark.parametrize("header", MAPPED, ids=["v1", "v2"])
async def test_an_ipv4_client_that_a_header_maps_into_ipv6_is_the_ipv4_client(tmp_path, member, header):
    pool = {"persistence": {"source": {}}}
    route = {"match": {"source": "203.0.113.0/24"}}
    mapping = config(member.address, listener=BELIEVED, route=route, pool=pool)
    async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
        assert (await client.ask(header + get())).status == 200
        (record,) = proxy.access_log()
    assert record["client"] == "203.0.113.9"
    assert member.requests[0][b"x-forwarded-for"] == b"203.0.113.9"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no dual-stack sockets")
async def test_an_ipv4_client_of_a_dual_stack_socket_is_the_ipv4_client(tmp_path, member):
    mapping = config(member.address, route={"match": {"source": ["127.0.0.0/8"]}}, listener={"real_ip": True})
    async with serving(tmp_path, mapping, dual_stack=True) as proxy, proxy.client() as client:
        assert (await client.ask(get())).status == 200
        (record,) = proxy.access_log()
    assert record["client"] == "127.0.0.1"
    seen = member.requests[0]
    assert seen[b"x-forwarded-for"] == seen[b"x-real-ip"] == b"127.0.0.1"


async def test_header_may_come_byte_by_byte(tmp_path, member):
    async with (
        serving(tmp_path, config(member.address, listener=BELIEVED)) as proxy,
        proxy.client() as client,
    ):
        await client.dribble(compose("v2", ENDS) + get())
        assert (await client.reply()).status == 200
    assert member.requests[0][b"x-forwarded-for"] == b"203.0.113.9"


@pytest.mark.parametrize("header", [compose("v1", None), compose("v2", None)], ids=["UNKNOWN", "LOCAL"])
async def test_header_that_names_nobody_leaves_the_sender_as_client(tmp_path, member, header):
    async with (
        serving(tmp_path, config(member.address, listener=BELIEVED)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(header + get())).status == 200
    assert member.requests[0][b"x-forwarded-for"] == b"127.0.0.1"


@pytest.mark.parametrize("start", [get(), SIGNATURE + bytes(100), b"PROXY TCP4 1.1.1.1\r\n" + get()])
async def test_trusted_sender_without_a_good_header_is_closed(tmp_path, member, start):
    async with (
        serving(tmp_path, config(member.address, listener=BELIEVED)) as proxy,
        proxy.client() as client,
    ):
        await client.send(start)
        await client.closed()
        assert proxy.listener.service.refusals == {"proxy_protocol": 1}
    assert not member.requests


async def test_trusted_sender_that_stays_silent_is_given_up(tmp_path, member):
    async with serving(tmp_path, config(member.address, listener=BELIEVED)) as proxy:
        proxy.listener._accepting.accept_context.handshake_timeout = 0.05
        async with proxy.client() as client:
            await client.send(b"PROXY TCP4")
            await client.closed()
        await eventually(lambda: not proxy.listener.open_connections)


async def test_anybody_else_speaks_plainly_and_cannot_say_who_it_is(tmp_path, member):
    listener = {"proxy_protocol": ["10.0.0.0/8"]}
    async with serving(tmp_path, config(member.address, listener=listener)) as proxy:
        async with proxy.client() as client:
            assert (await client.ask(get())).status == 200
        async with proxy.client() as client:
            assert (await client.ask(compose("v1", ENDS) + get())).status == 400
    assert [request[b"x-forwarded-for"] for request in member.requests] == [b"127.0.0.1"]


async def test_trusted_proxies_are_the_senders_if_none_are_named(tmp_path, member):
    mapping = config(member.address, listener={"proxy_protocol": True}, trusted_proxies=["127.0.0.1"])
    async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
        forged = "X-Forwarded-For: 9.9.9.9"
        assert (await client.ask(compose("v2", ENDS) + get("/", forged))).status == 200
    assert member.requests[0][b"x-forwarded-for"] == b"203.0.113.9"


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_header_in_front_of_tls(tmp_path, member, version):
    authority = Authority(tmp_path / "ca")
    listener = {"tls": {"certificates": [authority.issue("a.test")]}, **BELIEVED}
    async with serving(tmp_path, config(member.address, listener=listener)) as proxy:
        client = await tls_client(proxy.port, authority.context(), before=compose(version, ENDS))
        assert (await client.ask(get(host="a.test"))).status == 200
        client.close()
    (request,) = member.requests
    assert (request[b"x-forwarded-for"], request[b"x-forwarded-proto"]) == (b"203.0.113.9", b"https")


async def test_connections_are_limited_by_the_client_of_the_header(tmp_path, member):
    listener = {**BELIEVED, "limits": {"connections_per_source": 1}}
    other = (("203.0.113.10", 1), ENDS[1])
    async with (
        serving(tmp_path, config(member.address, listener=listener)) as proxy,
        proxy.client() as first,
        proxy.client() as second,
        proxy.client() as third,
    ):
        assert (await first.ask(compose("v2", ENDS) + get())).status == 200
        await second.send(compose("v2", ENDS) + get())
        await second.closed()
        assert (await third.ask(compose("v2", other) + get())).status == 200


class Told:
    """A member's script that reads a PROXY protocol header, then gives `replies`; `ends` of every connection."""

    def __init__(self, *replies):
        self.ends = []
        self._replies = iter(replies)

    async def __call__(self, conversation):
        reader = HeaderReader()
        while not reader.done:
            assert reader.feed(await conversation.exactly(1)) == 1
        conversation._source.taken()
        self.ends.append(reader.ends)
        while True:
            await conversation.request()
            await conversation.send(next(self._replies, OK))


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_member_is_told_the_client_and_its_connection_is_not_shared(tmp_path, version):
    told = Told()
    async with (
        Member(told) as member,
        serving(tmp_path, config(member.address, pool={"proxy_protocol": version})) as proxy,
        proxy.client() as one,
        proxy.client() as other,
    ):
        for client in (one, other, one, other):
            assert (await client.ask(get())).status == 200
        expected = [
            tuple(client.writer.get_extra_info(name)[:2] for name in ("sockname", "peername"))
            for client in (one, other)
        ]
        assert told.ends == expected


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_member_is_told_both_ends_of_the_header_that_a_client_came_with(tmp_path, version):
    told = Told()
    async with (
        Member(told) as member,
        serving(tmp_path, config(member.address, listener=BELIEVED, pool={"proxy_protocol": "v2"})) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(compose(version, ENDS) + get())).status == 200
    assert told.ends == [ENDS]


async def test_member_is_told_the_client_that_a_trusted_proxy_named(tmp_path):
    told = Told()
    async with (
        Member(told) as member,
        serving(
            tmp_path, config(member.address, pool={"proxy_protocol": "v2"}, trusted_proxies=["127.0.0.1"])
        ) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/", "X-Forwarded-For: 2001:db8::7"))).status == 200
    assert told.ends[0][0] == ("2001:db8::7", 0)


async def test_member_behind_a_cache_is_told_the_client_that_it_is_asked_for(tmp_path):
    told = Told(
        response(b"x", "Cache-Control: private"),
        response(b"y", "Cache-Control: max-age=1, stale-while-revalidate=60", "Age: 10"),
    )
    cached = {
        "pool": {"proxy_protocol": "v2"},
        "route": {"cache": {"store": "site"}},
        "caches": {"site": {"memory": "1MB"}},
    }
    async with (
        Member(told) as member,
        serving(tmp_path, config(member.address, **cached)) as proxy,
        proxy.client() as one,
        proxy.client() as other,
    ):
        for client in (one, other, one):
            assert (await client.ask(get())).status == 200
        await eventually(lambda: len(told.ends) == 3)
        expected = [
            tuple(client.writer.get_extra_info(name)[:2] for name in ("sockname", "peername"))
            for client in (one, other)
        ]
        assert told.ends == [*expected, None]  # the last is a refresh, which nobody waits for
