"""What arrives in one turn of the loop is served in batches; that must show in nothing but speed."""

import asyncio
import contextlib

from tests.kit.client import Client, get, post
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

CLIENTS = 150
"""More than one batch takes."""


async def test_each_of_many_clients_gets_its_own_answer(proxy):
    clients = [await Client.connect(proxy.port) for _ in range(CLIENTS)]
    for turn in range(3):
        for number, client in enumerate(clients):
            client.writer.write(get(f"/{turn}/{number}"))
        replies = await asyncio.gather(*(client.reply() for client in clients))
        expected = [f"GET /{turn}/{number} HTTP".encode() for number in range(CLIENTS)]
        assert [reply.body[: len(start)] for reply, start in zip(replies, expected, strict=True)] == expected
    for client in clients:
        client.close()


async def test_refused_and_good_requests_share_a_batch(proxy):
    async with proxy.client() as good, proxy.client() as bad, proxy.client() as other:
        good.writer.write(get("/1"))
        bad.writer.write(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n")
        other.writer.write(post(b"content", target="/2"))
        assert (await bad.reply()).status == 400
        assert (await good.reply()).status == (await other.reply()).status == 200


async def test_a_client_that_ends_its_half_with_the_request_is_answered(tmp_path):
    mapping = config(routes=[{"respond": {"status": 200, "body": "here"}}], pools={})
    async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
        client.writer.write(get("/"))
        client.writer.write_eof()
        assert (await client.reply()).body == b"here"
        assert await client.closed()


async def test_a_client_that_is_gone_before_its_turn_harms_nobody(proxy):
    async with proxy.client() as gone, proxy.client() as other:
        gone.writer.write(get("/gone"))
        other.writer.write(get("/other"))
        gone.reset()
        assert (await other.reply()).status == 200
        await eventually(lambda: len(proxy.connections) == 1)
        assert proxy.errors == []


async def test_a_defect_ends_one_connection_and_is_told(proxy, monkeypatch):
    find = proxy.listener.service.find

    def breaks(request):
        if request.path == "/defect":
            raise RuntimeError("a defect")
        return find(request)

    monkeypatch.setattr(proxy.listener.service, "find", breaks)
    async with proxy.client() as victim, proxy.client() as other:
        victim.writer.write(get("/defect"))
        other.writer.write(get("/other"))
        assert (await other.reply()).status == 200
        with contextlib.suppress(ConnectionError):
            assert await victim.rest() == b""
    assert [str(context["exception"]) for context in proxy.errors] == ["a defect"]
    proxy.errors.clear()


async def test_a_member_that_answers_and_closes_is_heard(tmp_path):
    last = response(b"last", "Connection: close")
    async with (
        Member(answering(last)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(20):
            assert (await client.ask(get("/"))).body == b"last"
