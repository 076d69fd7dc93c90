"""Two nodes acting as one: each client's requests alternate between them."""

import asyncio
import time

import pytest

from tests.cluster.nodes import two_nodes
from tests.cluster.visitor import Visitor
from tests.wire.redis_server import needs_redis
from tests.wire.service import http, until

pytestmark = needs_redis

PATHS = ["/cookie/", "/source/", "/header/", "/learned/"]


async def ready(nodes):
    for node in nodes:
        await until(node.in_step)
        await until(node.acquainted)


async def know_the_same(nodes):
    """Wait until both nodes know of the same sessions."""

    async def alike():
        one, other = [await node.pins() for node in nodes]
        return one == other != {}

    await until(alike)


def visitors(nodes, count=6):
    """Clients whose requests alternate between the nodes; half of them begin at the second node."""
    ports = [node.port for node in nodes]
    return [
        Visitor(
            ports if number % 2 else ports[::-1],
            path,
            [f"X-Forwarded-For: 192.0.2.{number}", f"X-User: u{number}"],
        )
        for path in PATHS
        for number in range(count)
    ]


@pytest.mark.parametrize("unknown", ["accept", "redirect"])
async def test_no_request_goes_astray_once_the_nodes_are_in_step(tmp_path, unknown):
    async with two_nodes(tmp_path, unknown) as (_, nodes, _):
        await ready(nodes)
        clients = visitors(nodes)
        await asyncio.gather(*(client.ask() for client in clients))
        await know_the_same(nodes)
        await asyncio.gather(*(client.ask_often(20) for client in clients))
        assert [client.misrouted for client in clients] == [0] * len(clients)
        assert {status for client in clients for status in client.statuses} == {200}


async def test_redirect_sends_even_the_second_request_to_the_member_of_the_first(tmp_path):
    async with two_nodes(tmp_path, "redirect") as (_, nodes, _):
        await ready(nodes)
        clients = visitors(nodes, 20)[20:60]  # by source and by header
        for client in clients:
            await client.ask()
            await client.ask()
        assert all([await node.metric("adc_cluster_passed_total") for node in nodes])
        forged = {"X-Adc-Passed": "62 1700000000 0123456789abcdef", "X-Adc-Pool": "source"}
        assert (await http(nodes[0].peer, "/source/"))[0] == 421
        assert (await http(nodes[0].peer, "/source/", fields=forged))[0] == 421
        assert [client.misrouted for client in clients] == [0] * len(clients)


@pytest.mark.parametrize("unknown", ["accept", "redirect"])
async def test_pins_survive_on_the_other_node_when_one_is_killed(tmp_path, unknown):
    async with two_nodes(tmp_path, unknown) as (_, nodes, _):
        await ready(nodes)
        clients = visitors(nodes)
        await asyncio.gather(*(client.ask() for client in clients))
        await know_the_same(nodes)
        await nodes[0].kill()
        for client in clients:
            client.ports = [nodes[1].port]
            client.close()
        await asyncio.gather(*(client.ask_often(5) for client in clients))
        assert [client.misrouted for client in clients] == [0] * len(clients)
        newcomers = [
            Visitor([nodes[1].port], "/source/", [f"X-Forwarded-For: 198.51.100.{number}"])
            for number in range(10)
        ]
        await asyncio.gather(*(client.ask_often(2) for client in newcomers))
        assert {status for client in newcomers for status in client.statuses} == {200}
        assert [client.misrouted for client in newcomers] == [0] * 10


@pytest.mark.parametrize("fate", ["killed", "hung"])
async def test_without_redis_the_nodes_serve_on_and_come_back_in_step(tmp_path, fate):
    async with two_nodes(tmp_path) as (redis, nodes, _):
        await ready(nodes)
        clients = visitors(nodes, 3)
        await asyncio.gather(*(client.ask() for client in clients))
        await know_the_same(nodes)
        redis.kill() if fate == "killed" else redis.pause()
        took = []
        for number in range(20):
            for client in clients:
                began = time.monotonic()
                await client.ask()
                took.append(time.monotonic() - began)
            newcomer = Visitor([nodes[0].port], "/source/", [f"X-Forwarded-For: 198.51.100.{number}"])
            began = time.monotonic()
            await newcomer.ask()
            took.append(time.monotonic() - began)
        for node in nodes:
            await until(node.degraded)
        redis.start() if fate == "killed" else redis.resume()
        await ready(nodes)
        await know_the_same(nodes)
        await asyncio.gather(*(client.ask_often(6) for client in clients))
        assert [client.misrouted for client in clients] == [0] * len(clients)
        assert sorted(took)[-len(took) // 10] < 0.5, took
