"""Bursts of connections are shared by the workers."""

import asyncio
import contextlib
import os
import socket

from tests.wire.service import until

ANSWERS = """
workers: 2
listeners: [{name: web, bind: "@web"}]
routes: [{respond: {status: 200, body: here}}]
admin: {bind: "@admin"}
"""

BURST = 64
BURSTS = 4


async def test_no_worker_takes_all_of_some_bursts(service):
    """A worker that the kernel does not let run accepts nothing of one burst, but the next is for it then."""
    service.write(ANSWERS)
    await service.started()
    pids = [worker["pid"] for worker in (await service.status())["workers"]]
    before = _open(pids)
    with contextlib.ExitStack() as clients:
        for _ in range(BURSTS):
            burst = [clients.enter_context(_connecting(service.port)) for _ in range(BURST)]
            await asyncio.gather(*map(_answered, burst))
        shares = [after - first for after, first in zip(_open(pids), before, strict=True)]
    assert min(shares) >= BURSTS * BURST / 8, shares


def _open(pids):
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]


def _connecting(port):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", port))
    return client


async def _answered(client):
    """Ask for a page; True if the answer says that the connection ends."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
    answer = await loop.sock_recv(client, 4096)
    assert answer.startswith(b"HTTP/1.1 200")
    return b"Connection: close" in answer


async def test_clients_that_wait_for_the_start_come_to_be_shared(service):
    """They wait on a socket that the service inherits, so that all are there before the first worker."""
    with (
        socket.create_server(("127.0.0.1", service.port), backlog=BURST) as listening,
        contextlib.ExitStack() as stack,
    ):
        clients = [stack.enter_context(_connecting(service.port)) for _ in range(BURST)]
        service.write(ANSWERS)
        await service.activated(listening)
        await _come_to_be_shared(service, clients, stack)


async def test_keep_alive_clients_of_one_worker_come_to_share_a_new_one(service):
    service.write(ANSWERS.replace("workers: 2", "workers: 1"))
    await service.started()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(_connecting(service.port)) for _ in range(BURST)]
        await asyncio.gather(*map(_answered, clients))
        service.write(ANSWERS)
        assert (await service.run("reload", "--admin", f"127.0.0.1:{service.admin}"))[0] == 0
        await _come_to_be_shared(service, clients, stack)


async def _come_to_be_shared(service, clients, stack):
    """Ask on all connections, connect again where an answer ends one, until two workers have about the same number.

    A worker sends no clients away while it has at most 8 and a quarter of the mean more than the mean (`net/share.py`):
    of 64 connections, 16 and 48 stay as they are.
    """

    async def even():
        ended = await asyncio.gather(*map(_answered, clients))
        for number in [number for number, over in enumerate(ended) if over]:
            clients[number].close()  # until then the worker keeps it, and moves no other client in its place
            clients[number] = stack.enter_context(_connecting(service.port))
        held = await service.open_connections()
        return len(held) == 2 and min(held) >= BURST / 4 and sum(held) == BURST

    await until(even, pause=0.1)
