"""Nodes without `cluster.secret`: they agree on the keys that they sign with, whenever Redis comes."""

import asyncio
import contextlib

from tests.cluster.nodes import two_nodes
from tests.cluster.visitor import Visitor
from tests.wire.redis_server import needs_redis
from tests.wire.service import until

pytestmark = needs_redis

SECONDS = 10
"""Longest pause between two attempts of a node at Redis, and some more."""


async def agreed(nodes):
    """Wait until each node counts the other one, which has proved that it has the same key."""
    async with asyncio.timeout(SECONDS):
        for node in nodes:
            await until(node.acquainted)


def clients_of(node, count=6):
    return [Visitor([node.port], "/cookie/") for _ in range(count)]


@contextlib.asynccontextmanager
async def apart(folder):
    """Redis, which does not run yet, and two nodes with clients that hold their cookies."""
    async with two_nodes(folder, "redirect", redis_starts=False) as (redis, nodes, _):
        clients = [client for node in nodes for client in clients_of(node)]
        await asyncio.gather(*(client.ask() for client in clients))
        assert all(client.cookies for client in clients)
        yield redis, nodes, clients


async def test_nodes_that_started_without_redis_agree_when_it_comes(tmp_path):
    async with apart(tmp_path) as (redis, nodes, _):
        redis.start()
        await agreed(nodes)
        new = clients_of(nodes[0]) + clients_of(nodes[1])
        for client in new:
            client.ports = [node.port for node in nodes]
            await client.ask()
            first = dict(client.cookies)
            await client.ask_often(3)
            assert client.cookies == first
            assert client.misrouted == 0


async def test_cookies_signed_before_the_agreement_keep_their_member_at_both_nodes(tmp_path):
    async with apart(tmp_path) as (redis, nodes, clients):
        redis.start()
        await agreed(nodes)
        ports = [node.port for node in nodes]

        async def stay():
            """Whether each cookie leads to its member at the node that did not sign it."""
            copies = []
            for client in clients:
                copy = Visitor([port for port in ports if port not in client.ports], "/cookie/")
                copy.cookies, copy.members = dict(client.cookies), client.members[:1]
                copies.append(copy)
            await asyncio.gather(*(copy.ask() for copy in copies))
            return not any(copy.misrouted for copy in copies)

        async with asyncio.timeout(SECONDS):
            await until(stay)
        for client in clients:
            client.ports = ports
            await client.ask_often(4)
        assert [client.misrouted for client in clients] == [0] * len(clients)


async def test_restarted_node_signs_with_the_agreed_key_although_redis_is_away(tmp_path):
    async with two_nodes(tmp_path, "redirect") as (redis, nodes, _):
        await agreed(nodes)
        redis.kill()
        for node in nodes:
            node.service.signal(15)
            await node.service.ended()
            await node.service.started()
        client = Visitor([node.port for node in nodes], "/cookie/")
        await client.ask()
        first = dict(client.cookies)
        await client.ask_often(5)
        assert client.misrouted == 0
        assert client.cookies == first


async def test_log_says_that_the_node_adopted_the_key(tmp_path):
    async with apart(tmp_path) as (redis, nodes, _):
        redis.start()
        await agreed(nodes)
        logs = [node.service.log.read_text() for node in nodes]
        assert all("shared_keys_unavailable" in log for log in logs)
        assert sum("shared_key_adopted" in log for log in logs) == 1
