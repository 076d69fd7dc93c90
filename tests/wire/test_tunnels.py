"""Upgrade (RFC 9110 section 7.8): WebSocket tunnels, and everything that must not become one."""

import asyncio

import pytest
import websockets

from tests.kit.client import chunked, get, post
from tests.kit.member import OK, Member, answering, echo, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled, within

UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x")
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nX-Kept: 1\r\n\r\n"


async def echoing(conversation):
    """A member that switches and then sends back what comes, and `bye` at the end."""
    await conversation.head()
    await conversation.send(SWITCH + b"hello")
    while data := await conversation.some():
        await conversation.send(data)
    await conversation.send(b"bye")


@pytest.fixture
async def member():
    async with Member(echoing) as member:
        yield member


async def test_bytes_pass_both_ways_after_the_switch(proxy, client, member):
    reply = await client.ask(get("/ws", *UPGRADE))
    assert reply.status == 101
    assert (reply[b"connection"], reply[b"upgrade"], reply[b"x-kept"]) == (b"upgrade", b"websocket", b"1")
    assert (member.requests[0][b"connection"], member.requests[0][b"upgrade"]) == (b"upgrade", b"websocket")
    assert await client.exactly(5) == b"hello"
    for size in (1, 5, 300_000):
        client.writer.write(b"z" * size)
        assert await client.exactly(size) == b"z" * size


async def test_early_data_waits_for_the_switch(proxy, client, member):
    await client.send(get("/ws", *UPGRADE) + b"early")
    assert (await client.reply()).status == 101
    assert await client.exactly(10) == b"helloearly"


async def test_early_data_never_reaches_a_member_that_refuses(tmp_path):
    async with (
        Member(answering(response(b"no", status=403))) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get("/ws", *UPGRADE) + get("/smuggled"))
        assert (reply.status, reply[b"connection"]) == (403, b"close")
        await client.closed()
        assert b"smuggled" not in member.received


async def test_much_early_data_stops_being_read(proxy, client, tmp_path):
    async with (
        Member(lambda conversation: conversation.rest()) as silent,
        serving(tmp_path / "2", config(silent.address)) as proxy,
        proxy.client() as client,
    ):
        client.writer.write(get("/ws", *UPGRADE) + b"x" * 3_000_000)
        await eventually(lambda: any(each._paused for each in proxy.connections))
        (connection,) = proxy.connections
        assert len(connection._unread) < 1 << 20
        assert b"xxx" not in silent.received


async def test_a_half_close_of_the_client_reaches_the_member(client, member):
    await client.ask(get("/ws", *UPGRADE))
    client.finish_sending()
    assert await client.rest() == b"hellobye"


async def test_the_end_of_the_member_ends_the_tunnel(client, proxy, member):
    await client.ask(get("/ws", *UPGRADE))
    await client.exactly(5)
    member.connections[0].close()
    assert await client.closed()
    await eventually(proxy.access_log)
    (record,) = proxy.access_log()
    assert (record["status"], record["bytes_out"], record["end_reason"]) == (101, 5, "-")


async def test_a_client_that_goes_ends_the_tunnel(client, proxy, member):
    await client.ask(get("/ws", *UPGRADE))
    client.reset()
    await eventually(lambda: proxy.links[0].connections == 0)


async def test_a_tunnel_is_idle_longer_than_a_response_may_be(client, proxy, member):
    await client.ask(get("/ws", *UPGRADE))
    await client.send(b"x")
    await client.exactly(6)
    proxy.pass_time(1000)
    await client.send(b"y")
    assert await client.exactly(1) == b"y"
    proxy.pass_time(3700)
    await client.closed()
    assert proxy.access_log()[0]["end_reason"] == "idle_timeout"
    assert proxy.member().failures == 0


async def test_an_upgrade_behind_other_requests_waits_its_turn(tmp_path):
    async def script(conversation):
        request = await conversation.request()
        if b"upgrade" in request:
            await conversation.send(SWITCH)
            await conversation.send(await conversation.some())
        else:
            await settled()
            await conversation.send(OK)
            await script(conversation)

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/1") + chunked(b"x") + get("/ws", *UPGRADE) + b"early")
        assert [(await client.reply()).status for _ in range(3)] == [200, 200, 101]
        assert await client.exactly(5) == b"early"
        assert all(b"early" not in request.raw for request in member.requests)


NO_UPGRADES = {
    "h2c": get(
        "/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"
    ),
    "an unknown protocol": get("/", "Connection: upgrade", "Upgrade: foo/2"),
    "TLS": get("/", "Connection: upgrade", "Upgrade: TLS/1.2"),
    "several protocols": get("/", "Connection: upgrade", "Upgrade: TLS/1.3, HTTP/2.0, h2c"),
    "several fields": get("/", "Connection: upgrade", "Upgrade: h2", "Upgrade: h2c"),
    "h2c with content": post(b"abc", "Connection: upgrade", "Upgrade: h2c"),
    "h2c with chunked content": chunked(b"abc", fields=("Connection: upgrade", "Upgrade: h2c")),
    "HTTP/1.0": get("/", *UPGRADE, version="1.0"),
    "with content": post(b"abc", *UPGRADE),
    "with chunked content": chunked(b"abc", fields=UPGRADE),
    "not in Connection": get("/", "Upgrade: websocket"),
}


@pytest.mark.parametrize("request_", NO_UPGRADES.values(), ids=NO_UPGRADES)
async def test_offer_that_is_no_plain_websocket_is_ignored(tmp_path, request_):
    async with (
        Member(answering(echo)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(request_ + get("/next"))
        assert reply.status == 200
        assert b"pgrade" not in reply.body
        if b"HTTP/1.0" in request_:
            assert await client.closed()
        else:
            assert b"GET /next" in (await client.reply()).body
            assert (await client.ask(get("/third"))).status == 200
        assert all(request.raw.count(b"HTTP/1.1\r\n") == 1 for request in member.requests)
        assert len(member.connections) == 1


BAD_SWITCHES = {
    "to another protocol": b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    "to nothing": b"HTTP/1.1 101 Go\r\n\r\n",
    "without Connection": b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n",
}


@pytest.mark.parametrize("data", BAD_SWITCHES.values(), ids=BAD_SWITCHES)
async def test_a_switch_that_was_not_asked_for_is_502(tmp_path, data):
    async with (
        Member(answering(data)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/", *UPGRADE))).status == 502


async def test_a_real_websocket_talks_through(tmp_path):
    async def serve(connection):
        async for message in connection:
            await connection.send(message)

    async with websockets.serve(serve, "127.0.0.1", 0, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with serving(tmp_path, config(f"127.0.0.1:{port}")) as proxy:
            url = f"ws://127.0.0.1:{proxy.port}/chat"
            async with websockets.connect(url, max_size=None) as connection:
                for message in ("hi", b"\x00" * 200_000, "x" * 100):
                    await connection.send(message)
                    assert await within(connection.recv()) == message
                await within(connection.ping())
            assert connection.close_code == 1000


async def test_a_slow_reader_of_a_tunnel_stops_the_member(tmp_path):
    async def script(conversation):
        await conversation.head()
        await conversation.send(SWITCH)
        conversation.sent = 0
        while conversation.sent < 100 << 20:
            await conversation.send(b"x" * 65536)
            conversation.sent += 65536

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client(receive_buffer=4096) as client,
    ):
        client.writer.write(get("/", *UPGRADE))
        await eventually(lambda: any(each._blocked for each in proxy.connections))
        before = None
        while before != member.connections[0].sent:
            before = member.connections[0].sent
            await asyncio.sleep(0.05)
        assert member.connections[0].sent < 20 << 20


@pytest.mark.parametrize("request_", NO_UPGRADES.values(), ids=NO_UPGRADES)
async def test_an_untaken_offer_in_pieces_keeps_the_connection(tmp_path, request_):
    async with (
        Member(answering(echo)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(3):
            await client.dribble(request_)
            assert (await client.reply()).status == 200
            if b"HTTP/1.0" in request_:
                assert await client.closed()
                return
        assert len(proxy.connections) == len(member.connections) == 1


@pytest.mark.parametrize("status", [200, 403, 426])
async def test_a_declined_websocket_keeps_both_connections(tmp_path, status):
    async with (
        Member(answering(response(b"no", status=status))) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(5):
            assert (await client.ask(get("/ws", *UPGRADE))).status == status
        assert len(proxy.connections) == len(member.connections) == 1


async def test_a_declined_post_offer_keeps_both_connections(tmp_path):
    offer = ("Connection: upgrade", "Upgrade: tcp")
    async with (
        Member(answering(echo)) as member,
        serving(tmp_path, config(member.address, route={"upgrades": "tcp"})) as proxy,
        proxy.client() as client,
    ):
        for body in (b"abc", b"x" * 300_000):
            for _ in range(2):
                reply = await client.ask(post(body, *offer))
                assert (reply.status, reply.body[-len(body) :]) == (200, body)
        assert len(proxy.connections) == len(member.connections) == 1


async def test_426_keeps_its_upgrade_field(tmp_path):
    reply = response(b"", "Connection: Upgrade", "Upgrade: TLS/1.2, websocket", status=426)
    async with (
        Member(answering(reply)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get())
        assert (reply[b"upgrade"], reply[b"connection"]) == (b"TLS/1.2, websocket", b"upgrade")
        reply = await client.ask(get("/", "Connection: close"))
        assert (reply[b"upgrade"], reply[b"connection"]) == (b"TLS/1.2, websocket", b"close, upgrade")


OFFERS = {
    "one": ("tcp", "tcp", "tcp"),
    "another case": ("TCP", "tcp", "TCP"),
    "a version": ("SPDY/3.1", "spdy/3.1", "SPDY/3.1"),
    "any version": ("custom/7", "custom", "custom/7"),
    "a list": ("h2c, , tcp,other/1", ["websocket", "tcp"], "tcp"),
    "a websocket among others": ("h2c, websocket", "websocket", "websocket"),
}


@pytest.mark.parametrize(("offer", "allowed", "passed"), OFFERS.values(), ids=OFFERS)
async def test_a_route_passes_the_protocols_that_it_names(tmp_path, offer, allowed, passed):
    async def script(conversation):
        request = await conversation.head()
        await conversation.send(
            b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n" % request[b"upgrade"]
        )
        while data := await conversation.some():
            await conversation.send(data)

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address, route={"upgrades": allowed})) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get("/attach", "Connection: Upgrade", f"Upgrade: {offer}"))
        assert (reply.status, member.requests[0][b"upgrade"]) == (101, passed.encode())
        await client.send(b"GET /not-a-request HTTP/1.1\r\n\r\n")
        assert (await client.exactly(31)).startswith(b"GET /not")


async def test_a_post_with_content_becomes_a_tunnel(tmp_path):
    async def script(conversation):
        request = await conversation.request()
        await conversation.send(
            b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + request.body
        )
        while data := await conversation.some():
            await conversation.send(data)

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address, route={"upgrades": ["tcp"]})) as proxy,
    ):
        for pieces in (False, True):
            async with proxy.client() as client:
                request = post(b"{}", "Connection: Upgrade", "Upgrade: tcp", target="/exec/1/start")
                await (client.dribble if pieces else client.send)(request)
                assert (await client.reply()).status == 101
                assert await client.exactly(2) == b"{}"
                await client.send(b"raw")
                assert await client.exactly(3) == b"raw"


async def test_a_route_without_upgrades_passes_no_websocket(tmp_path):
    async with (
        Member(answering(echo)) as member,
        serving(tmp_path, config(member.address, route={"upgrades": []})) as proxy,
        proxy.client() as client,
    ):
        for _ in range(2):
            assert b"pgrade" not in (await client.ask(get("/ws", *UPGRADE))).body
        assert len(member.connections) == 1
