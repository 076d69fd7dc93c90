"""`limits.connections_per_source` holds for a node, however many workers it has."""

import asyncio
import contextlib
import os
import signal

import pytest

from tests.kit.member import Member
from tests.kit.ports import free_port
from tests.kit.smtp import MailMember
from tests.wire.service import Service, until

LIMIT = 6
LIMITS = f"limits: {{connections_per_source: {LIMIT}}}"
WORKERS = 3
CONFIG = """
workers: @count
access_log: off
admin: {bind: "@admin"}
listeners:
  - {name: web, bind: "@web", @limits}
  - {name: raw, bind: "@raw", protocol: tcp, pool: app, @limits}
  - {name: mail, bind: "@mail", protocol: smtp, @limits, smtp: {routes: [{pool: post}]}}
routes: [{pool: app}]
pools: {app: [@member], post: [@post]}
"""
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
FIRST = {"web": REQUEST, "raw": REQUEST, "mail": b""}
SERVED = {"web": b"HTTP/1.1 200", "raw": b"HTTP/1.1 200", "mail": b"220 "}


class Node:
    """A running node; `clients` are its open connections."""

    def __init__(self, service, ports):
        self.service = service
        self._ports = ports
        self.clients = []

    async def served(self, protocol, count):
        """Open `count` connections, one after the other; return how many were served, which stay open."""
        served = 0
        for _ in range(count):
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._ports[protocol])
                self.clients.append(writer)
                writer.write(FIRST[protocol])
                async with asyncio.timeout(30):
                    served += await reader.readexactly(len(SERVED[protocol])) == SERVED[protocol]
        return served

    def leave(self):
        for writer in self.clients:
            writer.close()
        self.clients.clear()

    async def workers(self):
        return {each["id"]: each["pid"] for each in (await self.service.status())["workers"]}


@pytest.fixture
async def node(tmp_path):
    async with Member() as member, MailMember() as post:
        service = Service(tmp_path)
        ports = {"web": service.port, "raw": free_port(), "mail": free_port()}
        text = CONFIG.replace("@member", member.address).replace("@post", post.address)
        text = text.replace("@limits", LIMITS).replace("@count", str(WORKERS))
        service.write(text, raw=ports["raw"], mail=ports["mail"])
        await service.started()
        node = Node(service, ports)
        try:
            yield node
        finally:
            node.leave()
            service.close()


@pytest.mark.parametrize("protocol", ["web", "raw", "mail"])
async def test_limit_holds_over_all_workers_and_closed_connections_make_room(node, protocol):
    assert await node.served(protocol, 4 * LIMIT) == LIMIT
    node.leave()

    async def again():
        served = await node.served(protocol, LIMIT)
        node.leave()
        return served == LIMIT

    await until(again)


async def test_listeners_count_apart(node):
    assert [await node.served(each, LIMIT + 1) for each in ("web", "raw", "mail")] == [LIMIT] * 3


async def test_connections_of_a_killed_worker_count_no_more(node):
    assert await node.served("web", 2 * LIMIT) == LIMIT
    before = await node.workers()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    async def replaced():
        now = await node.workers()
        return len(now) == WORKERS and not set(now.values()) & set(before.values())

    await until(replaced)
    assert await node.served("web", 2 * LIMIT) == LIMIT


async def test_limit_that_a_reload_adds_counts_open_connections(node):
    service = node.service
    limited = service.config.read_text()
    service.config.write_text(limited.replace(LIMITS, "limits: {}"))
    assert (await service.run("reload", "--admin", f"127.0.0.1:{service.admin}"))[0] == 0
    assert await node.served("web", 2 * LIMIT) == 2 * LIMIT
    service.config.write_text(limited)
    assert (await service.run("reload", "--admin", f"127.0.0.1:{service.admin}"))[0] == 0
    assert await node.served("web", 2) == 0
    node.leave()
    await until(lambda: _served_after_leaving(node))


async def _served_after_leaving(node):
    served = await node.served("web", LIMIT)
    node.leave()
    return served == LIMIT
