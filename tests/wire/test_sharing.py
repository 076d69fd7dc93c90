"""Bursts of connections are shared by the workers."""

import asyncio
import contextlib
import os
import socket

import pytest

from tests.wire.service import Service

ANSWERS = """
workers: 2
listeners: [{name: web, bind: "@web"}]
routes: [{respond: {status: 200, body: here}}]
admin: {bind: "@admin"}
"""

BURST = 64


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.close()


async def test_no_worker_takes_a_whole_burst(service):
    service.write(ANSWERS)
    await service.started()
    pids = [worker["pid"] for worker in (await service.status())["workers"]]
    await asyncio.sleep(0.3)  # until they have heard of each other
    before = _open(pids)
    with contextlib.ExitStack() as clients:
        burst = [clients.enter_context(_connecting(service.port)) for _ in range(BURST)]
        await asyncio.gather(*map(_answered, burst))
        shares = [after - first for after, first in zip(_open(pids), before, strict=True)]
    assert min(shares) >= BURST / 8, shares


def _open(pids):
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]


def _connecting(port):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", port))
    return client


async def _answered(client):
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
    assert (await loop.sock_recv(client, 4096)).startswith(b"HTTP/1.1 200")
