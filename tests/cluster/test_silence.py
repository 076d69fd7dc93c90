"""Nodes that fall silent, and a Redis that does: who is served, where, and how often."""

import asyncio
import contextlib
import os
import signal
import time

import pytest

from tests.cluster.nodes import BOTH, SECRET, Node, ask, passed, seen, two_nodes
from tests.cluster.origin import origins
from tests.cluster.visitor import Visitor
from tests.wire.redis_server import RedisServer, needs_redis
from tests.wire.service import until

pytestmark = needs_redis

PATIENCE = 30
"""Seconds for what would take twenty times `response_head` if each client had to wait for it."""

RECORD_LIFE = 3.2
"""Seconds after which records that nobody renews would be out of date."""


@contextlib.contextmanager
def frozen(pids):
    """These processes accept connections in the kernel and answer nothing."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_clients_of_a_frozen_node_are_served_elsewhere(shared):
    nodes, _ = shared
    clients = [
        Visitor([nodes[0].port], "/source/", [f"X-Forwarded-For: 192.0.2.{number}"])
        for number in range(60, 80)
    ]
    with frozen(await nodes[1].pids()):
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(client.ask_often(3) for client in clients))
        await until(nodes[0].alone)
    assert {status for client in clients for status in client.statuses} == {200}
    assert [client.lost + client.misrouted for client in clients] == [0] * 20
    for node in nodes:
        await until(node.acquainted)


async def test_a_post_for_a_frozen_node_is_executed_once(shared):
    nodes, members = shared
    for number in range(100, 120):  # so that there are connections that look usable
        await ask(nodes[0].port, number)
    with frozen(await nodes[1].pids()):
        async with asyncio.timeout(PATIENCE):
            answers = await asyncio.gather(
                *(ask(nodes[0].port, number, method="POST", body=b"x") for number in range(80, 100))
            )
    assert [status for status, _ in answers] == [200] * 20
    for node in nodes:
        await until(node.acquainted)
    await asyncio.gather(*(ask(nodes[1].port, number) for number in range(80, 85)))
    assert len([head for head in seen(members) if b"POST /" in head]) == 20


@pytest.mark.parametrize("unknown", ["redirect", "accept"])
async def test_without_redis_all_nodes_choose_the_same_member_for_a_newcomer(tmp_path, unknown):
    async with two_nodes(tmp_path, unknown, more=BOTH) as (redis, nodes, _):
        for node in nodes:
            await until(node.in_step)
        if unknown == "redirect":
            for node in nodes:
                await until(node.acquainted)
        redis.kill()
        for node in nodes:
            await until(node.degraded)
        ports = [node.port for node in nodes]
        over = time.monotonic() + RECORD_LIFE
        clients = []
        while not clients or time.monotonic() < over:
            newcomers = [newcomer(ports, path, len(clients)) for path in ("/source/", "/header/")]
            await asyncio.gather(*(client.ask_often(3) for client in newcomers))
            clients += newcomers
            await asyncio.sleep(0.05)
        assert [client.misrouted for client in clients] == [0] * len(clients)
        assert len({client.members[0] for client in clients}) > 1
        if unknown == "redirect":
            for node in nodes:
                assert await node.acquainted()


async def test_nodes_started_without_redis_find_each_other_by_peers(tmp_path):
    redis = RedisServer(tmp_path)  # never started
    async with origins(3) as members:
        more = SECRET + ", peers: [@others]"
        nodes = [Node(name, tmp_path / name, redis, members, "redirect", more) for name in ("a", "b")]
        others = ", ".join(f"127.0.0.1:{node.peer}" for node in nodes)
        for node in nodes:
            config = node.service.config
            config.write_text(config.read_text().replace("@others", others))
        try:
            await asyncio.gather(*(node.service.started() for node in nodes))
            for node in nodes:
                await until(node.acquainted)
            clients = [newcomer([node.port for node in nodes], "/source/", number) for number in range(20)]
            await asyncio.gather(*(client.ask_often(4) for client in clients))
            assert [client.misrouted for client in clients] == [0] * 20
            assert await passed(nodes[0]) > 0
        finally:
            for node in nodes:
                node.service.close()


def newcomer(ports, path, number):
    """A client whose requests alternate between the nodes."""
    fields = [f"X-Forwarded-For: 192.0.{number // 200}.{number % 200}", f"X-User: u{number}"]
    return Visitor(ports[:: 1 if number % 4 else -1], path, fields)
