"""What a node believes of another one, of an application and of a client."""

import asyncio
import re

from tests.cluster.nodes import SECRET, acquainted, ask, passed, seen, two_nodes
from tests.cluster.visitor import Visitor
from tests.kit.waiting import eventually
from tests.wire.redis_server import needs_redis
from tests.wire.service import http, until

pytestmark = needs_redis


async def test_an_applications_421_is_executed_once(shared):
    nodes, members = shared
    for member in members:
        member.status = b"421 Misdirected Request"
        member.fields = b"X-Adc-Refused: 0123456789abcdef0123456789abcdef\r\n"
    before = await passed(nodes[0])
    answers = [await ask(nodes[0].port, number, method="POST", body=b"x") for number in range(20)]
    assert [status for status, _ in answers] == [421] * 20
    assert {body for _, body in answers} <= {b"m0", b"m1", b"m2"}
    assert len(seen(members)) == 20
    assert await passed(nodes[0]) > before


async def test_a_clients_fields_of_the_cluster_reach_no_member(shared):
    nodes, members = shared
    forged = {
        "X-Adc-Passed": "62 1700000000 0123456789abcdef",
        "x-adc-pool": "header",
        "X-ADC-Client": "203.0.113.9",
        "X-Adc-Peer": "203.0.113.9",
        "X-Adc-Scheme": "https",
        "X-Adc-Hello": "a",
        "X-Adc-Anything": "a",
        "X_Adc_Client": "203.0.113.9",
        "X-Adc_Pool": "a",
    }
    before = await passed(nodes[0])
    for number in range(20, 40):
        assert (await ask(nodes[0].port, number, fields=forged))[0] == 200
    heads = seen(members)
    assert len(heads) == 20
    ours = re.compile(rb"via: 1\.1 adc|x-request-id: [0-9a-f]+")
    assert not [head for head in heads if b"adc" in ours.sub(b"", head.lower())]
    assert await passed(nodes[0]) > before
    for port in (nodes[0].peer, nodes[1].peer):
        assert (await http(port, "/source/", fields=forged))[0] == 421
    assert len(seen(members)) == 20


def _asking_for(node):
    """Return the command for the record in which a node describes itself; it writes one each second."""
    return "GET", f"adc:edge:cluster.records:{node.name}"


async def _record(redis, node):
    return await eventually(lambda: (found := redis.command(*_asking_for(node))) != b"$-1\r\n" and found)


async def test_a_node_without_the_secret_is_neither_counted_nor_sent_anything(tmp_path):
    async with two_nodes(tmp_path, "redirect", more=(SECRET, "")) as (redis, nodes, members):
        for node in nodes:
            await until(node.in_step)
        written = [await _record(redis, node) for node in nodes]
        for node, before in zip(nodes, written, strict=True):  # each has looked for others meanwhile
            await eventually(lambda node=node, before=before: redis.command(*_asking_for(node)) != before)
        for number in range(20):
            for node in nodes:
                assert (await ask(node.port, number))[0] == 200
        for node in nodes:
            assert await node.alone()
            assert await passed(node) == 0
        assert sum(member.requests for member in members) == 40


async def test_a_passed_request_reaches_its_member_as_the_client_sent_it(shared):
    nodes, members = shared
    target = "/source/a//b/%41%2f;x=1/./c?q=%zz&a=b"
    before = await passed(nodes[0])
    for number in range(40, 60):
        assert (await ask(nodes[0].port, number, target))[0] == 200
    assert 0 < await passed(nodes[0]) - before < 20
    assert len(seen(members)) == 20
    assert {head.split(b" ")[1].decode() for head in seen(members)} == {target}


class Impostor(asyncio.Protocol):
    """Answers whatever it hears with 200, and keeps it."""

    heard = b""

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        type(self).heard += data
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")


async def test_a_listener_in_the_place_of_a_node_is_sent_nothing_of_clients(tmp_path):
    async with acquainted(tmp_path) as (_, nodes, _):
        await nodes[1].kill()
        await until(nodes[0].alone)
        Impostor.heard = b""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Impostor, "127.0.0.1", nodes[1].peer)
        try:
            await until(lambda: asyncio.sleep(0, Impostor.heard))
            clients = [
                Visitor(
                    [nodes[0].port],
                    "/source/",
                    [f"X-Forwarded-For: 192.0.2.{number}", "Cookie: of=a-client"],
                )
                for number in range(20)
            ]
            for client in clients:
                await client.ask()
        finally:
            server.close()
        assert {status for client in clients for status in client.statuses} == {200}
        assert not {member for client in clients for member in client.members} & {"no"}
        assert b"a-client" not in Impostor.heard
        assert b"192.0.2." not in Impostor.heard
        assert await nodes[0].alone()
