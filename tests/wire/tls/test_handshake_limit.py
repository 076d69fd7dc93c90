"""TLS handshakes in progress are bounded: each costs as much memory as ten idle connections."""

import asyncio

import pytest

from tests.kit.authority import Authority, tls_client
from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually


@pytest.fixture
async def served(tmp_path):
    """A proxy with room for three handshakes, and what its clients trust."""
    authority = Authority(tmp_path / "ca")
    listener = {
        "limits": {"handshakes": 3},
        "tls": {"certificates": [authority.issue("a.test")]},
    }
    async with (
        Member() as member,
        serving(tmp_path, config(member.address, listener=listener)) as proxy,
    ):
        yield proxy, authority.context()


async def half_open(proxy, count):
    return [await asyncio.open_connection("127.0.0.1", proxy.port) for _ in range(count)]


def arriving(proxy):
    return proxy.listener._accepting.accept_context.arriving


async def test_oldest_handshake_in_progress_makes_room(served):
    proxy, context = served
    clients = await half_open(proxy, 3)
    await eventually(lambda: arriving(proxy) == 3)
    client = await tls_client(proxy.port, context)
    assert (await client.ask(get(host="a.test"))).status == 200
    client.close()
    (first, _), *others = clients
    assert await first.read() == b""
    assert not any(reader.at_eof() for reader, _ in others)
    await eventually(lambda: proxy.listener.refusals.get("limit_handshakes") == 1)
    assert "reason=limit_handshakes" in proxy.error_log()
    for _, writer in clients:
        writer.close()


async def test_handshakes_in_progress_stay_below_the_limit(served):
    proxy, _ = served
    clients = await half_open(proxy, 12)
    most = 0
    while sum(reader.at_eof() for reader, _ in clients) < 9:
        most = max(most, len(proxy.listener._accepting.accept_context._tasks))
        await asyncio.sleep(0.01)
    assert most == 3
    for _, writer in clients:
        writer.close()


async def test_burst_of_clients_is_served_whole(served):
    proxy, context = served
    clients = await asyncio.gather(*(tls_client(proxy.port, context) for _ in range(60)))
    replies = await asyncio.gather(*(client.ask(get(host="a.test")) for client in clients))
    assert {reply.status for reply in replies} == {200}
    assert "limit_handshakes" not in proxy.listener.refusals
    for client in clients:
        client.close()
