"""Members that answer before they have read the request, and close: the response lies in the socket."""

import asyncio
import contextlib
import ssl

import pytest

from tests.kit.authority import Authority
from tests.kit.client import chunked, get, post
from tests.kit.early_closer import REFUSED, EarlyCloser
from tests.kit.member import Member, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually
from tests.wire.plugins.plugged import plugin_folder, route

BODY = b"x" * 1_000_000
PASSIVE = {"health": {"passive": {"failures": 1}}}
TIMES = 40


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def server_context(authority):
    pair = authority.issue("localhost", "127.0.0.1", file="member")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair["certificate"], pair["key"])
    return context


async def upload(proxy, data=None, pieces=20):
    """Send `data` in pieces, as far as the proxy takes them; return the reply and if the end was in order."""
    data = data or post(BODY, target="/up")
    async with proxy.client() as client:
        step = len(data) // pieces + 1
        with contextlib.suppress(ConnectionError, RuntimeError):  # the latter is uvloop after a reset
            for start in range(0, len(data), step):
                client.writer.write(data[start : start + step])
                await asyncio.sleep(0)
        reply = await client.reply()
        client.finish_sending()
        return reply, await client.closed()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("appetite", [0, 300_000], ids=["nothing read", "a part read"])
async def test_an_early_response_with_close_reaches_the_client(tmp_path, authority, tls, appetite):
    pool = {**PASSIVE, **({"tls": {"ca": authority.file, "sni": "localhost"}} if tls else {})}
    context = server_context(authority) if tls else None
    with EarlyCloser(appetite=appetite, tls=context) as member, EarlyCloser(tls=context) as other:
        async with serving(tmp_path, config(member.address, other.address, pool=pool)) as proxy:
            for number in range(TIMES):
                data = chunked(*[BODY[:100_000]] * 10) if number % 2 else None
                reply, orderly = await upload(proxy, data)
                assert (reply.status, reply.body, orderly) == (401, b"login", True)
            assert not any(proxy.member(number).ejected for number in range(2))
            assert [proxy.member(number).failures for number in range(2)] == [0, 0]
            assert "member_failed" not in proxy.error_log()


async def test_an_early_response_on_a_used_connection_is_not_stale(tmp_path):
    with EarlyCloser(before=1, appetite=1) as member:
        async with serving(tmp_path, config(member.address, pool=PASSIVE)) as proxy:
            for _ in range(TIMES // 2):
                async with proxy.client() as client:
                    assert (await client.ask(get())).status == 200
                reply, _ = await upload(proxy)
                assert reply.status == 401
            assert "stale" not in proxy.error_log()


async def test_a_reset_within_an_upload_blames_no_member(tmp_path):
    with EarlyCloser(b"") as member, EarlyCloser(b"") as other:
        async with serving(tmp_path, config(member.address, other.address, pool=PASSIVE)) as proxy:
            for _ in range(6):
                reply, _ = await upload(proxy)
                assert reply.status == 502
            assert [proxy.member(number).failures for number in range(2)] == [0, 0]
            log = proxy.error_log()
            assert "upload_reset" in log
            assert "idle" not in log
            assert {record["end_reason"] for record in proxy.access_log()} == {"member_reset"}


async def test_a_small_whole_request_that_is_reset_still_counts(tmp_path):
    async def resets(conversation):
        await conversation.request()
        conversation.reset()

    async with Member(resets) as member, serving(tmp_path, config(member.address)) as proxy:
        async with proxy.client() as client:
            assert (await client.ask(post(b"x"))).status == 502
        assert proxy.member().failures == 1


async def test_a_response_until_close_is_whole_if_its_end_came_in_order(tmp_path):
    async def script(conversation):
        await conversation.head()
        await conversation.send(b"HTTP/1.0 413 Large\r\n\r\ntoo much")
        conversation.writer.write_eof()
        await conversation.rest()

    async with Member(script) as member, serving(tmp_path, config(member.address)) as proxy:
        for _ in range(5):
            reply, orderly = await upload(proxy)
            assert (reply.status, reply.body, orderly) == (413, b"too much", True)


async def test_an_early_response_that_breaks_off_is_visibly_not_whole(tmp_path):
    half = b"HTTP/1.1 413 Large\r\nContent-Length: 1000\r\n\r\nhalf"
    with EarlyCloser(half) as member:
        async with serving(tmp_path, config(member.address, pool=PASSIVE)) as proxy:
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await upload(proxy)
            assert proxy.member().failures == 0


async def test_an_early_response_that_keeps_the_connection_reaches_the_client(tmp_path):
    refusal = response(b"large", status=413)
    with EarlyCloser(refusal, keep_open=True) as member:
        async with serving(tmp_path, config(member.address, pool=PASSIVE)) as proxy:
            for _ in range(10):
                reply, orderly = await upload(proxy)
                assert (reply.status, reply.body, orderly) == (413, b"large", True)
            assert proxy.member().failures == 0


async def test_a_refusal_instead_of_100_continue_reaches_the_client(tmp_path):
    with EarlyCloser() as member:
        async with serving(tmp_path, config(member.address, pool=PASSIVE)) as proxy:
            for _ in range(10):
                async with proxy.client() as client:
                    fields = (f"Content-Length: {len(BODY)}", "Expect: 100-continue")
                    reply = await client.ask(get("/up", *fields, method="PUT"))
                    assert (reply.status, reply.body) == (401, b"login")
            assert proxy.member().failures == 0


async def test_an_early_response_after_100_continue_reaches_the_client(tmp_path):
    with EarlyCloser(b"HTTP/1.1 100 Continue\r\n\r\n" + REFUSED) as member:
        async with serving(tmp_path, config(member.address, pool=PASSIVE)) as proxy:
            for _ in range(10):
                reply, _ = await upload(proxy)
                assert (reply.status, reply.body) == (401, b"login")
            assert proxy.member().failures == 0


ROUTES = {
    "sticky": ({}, {"persistence": {"cookie": {}}}),
    "hedged": ({"retries": {"attempts": 1, "hedge": {"after": "20ms"}}}, {}),
    "cached": ({"cache": True}, {}),
    "compressed": ({"compression": {}}, {}),
}


@pytest.mark.parametrize(("route", "pool"), ROUTES.values(), ids=ROUTES)
async def test_an_early_response_passes_every_kind_of_route(tmp_path, route, pool):
    with EarlyCloser() as member:
        async with serving(tmp_path, config(member.address, route=route, pool={**PASSIVE, **pool})) as proxy:
            for method in ("POST", "PUT"):
                for _ in range(10):
                    reply, orderly = await upload(proxy, post(BODY, target="/up", method=method))
                    assert (reply.status, reply.body, orderly) == (401, b"login", True)
            assert proxy.member().failures == 0


async def test_the_last_bytes_of_a_tunnel_reach_a_client_that_still_sends(tmp_path):
    switch = b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    with EarlyCloser(switch + b"bye", pause=0.05) as member:
        async with serving(tmp_path, config(member.address)) as proxy:
            for _ in range(10):
                async with proxy.client() as client:
                    await client.send(get("/", "Connection: upgrade", "Upgrade: websocket"))
                    assert (await client.reply()).status == 101
                    assert await client.exactly(3) == b"bye"
                    client.writer.write(BODY)
                    with contextlib.suppress(ConnectionError):
                        await client.rest()
            await eventually(lambda: proxy.links[0].connections == 0)


@pytest.mark.parametrize("plugin", ["pieces", "slow"])
async def test_an_early_response_passes_plugins_that_read_the_content(tmp_path, plugin):
    folder = plugin_folder(tmp_path)
    with EarlyCloser() as member:
        mapping = config(member.address, pool=PASSIVE, **route(plugin, folder=folder))
        async with serving(folder, mapping) as proxy:
            for _ in range(10):
                reply, _ = await upload(proxy)
                assert (reply.status, reply.body[:3].lower()) == (401, b"log")
            assert proxy.member().failures == 0
