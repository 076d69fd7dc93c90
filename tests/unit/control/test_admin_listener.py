"""The admin server is imported and started at its first connection."""

import asyncio
import socket
import subprocess
import sys
import textwrap

import pytest

from adc.control.admin_listener import AdminListener
from tests.kit.waiting import eventually, within


class FakeServer:
    """An admin server that greets every connection with the number of its sockets."""

    def __init__(self):
        self.starts = []
        self.servers = []
        self.closed = False

    async def start(self, sockets, tls=None):
        await self.close()
        sockets = [sock.dup() for sock in sockets]
        self.starts.append((len(sockets), tls))
        self.servers = [await asyncio.start_server(self._greet, sock=sock) for sock in sockets]

    async def _greet(self, _, writer):
        writer.write(b"%d" % self.starts[-1][0])
        writer.close()

    async def close(self):
        self.closed = True
        for server in self.servers:
            server.close()


@pytest.fixture
def server():
    return FakeServer()


@pytest.fixture
async def listener(monkeypatch, server):
    listener = AdminListener(node=None)

    async def new_server():
        return server

    monkeypatch.setattr(listener, "_new_server", new_server)
    yield listener
    await listener.close()


@pytest.fixture
def bound():
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    for sock in sockets:
        sock.setblocking(False)
    yield sockets
    for sock in sockets:
        sock.close()


async def greeting(sock):
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    try:
        return await within(reader.read())
    finally:
        writer.close()


async def test_first_connection_starts_the_server_on_every_socket(listener, server, bound):
    await listener.listen(bound, tls="context")
    assert not server.starts
    assert [await greeting(bound[1]), await greeting(bound[0])] == [b"2", b"2"]
    assert server.starts == [(2, "context")]


async def test_sockets_that_change_before_the_first_connection_are_the_ones_served(listener, server, bound):
    await listener.listen(bound[:1], tls="old")
    await listener.listen(bound[1:], tls="new")
    assert await greeting(bound[1]) == b"1"
    assert server.starts == [(1, "new")]


async def test_sockets_that_change_later_are_given_to_the_running_server(listener, server, bound):
    await listener.listen(bound[:1])
    await greeting(bound[0])
    await listener.listen(bound)
    assert await greeting(bound[1]) == b"2"
    assert len(server.starts) == 2


async def test_closed_listener_starts_no_server(listener, server, bound):
    await listener.listen(bound)
    with socket.create_connection(bound[0].getsockname()):
        await listener.close()
        await asyncio.sleep(0)
    assert not server.starts


async def test_close_closes_the_server_too(listener, server, bound):
    await listener.listen(bound)
    await greeting(bound[0])
    server.closed = False
    await listener.close()
    assert server.closed


async def test_server_that_cannot_start_is_logged_once_and_the_service_goes_on(
    listener, monkeypatch, caplog, bound
):
    async def new_server():
        raise ImportError("no such file")

    monkeypatch.setattr(listener, "_new_server", new_server)
    await listener.listen(bound)
    with socket.create_connection(bound[0].getsockname()):
        await eventually(lambda: "admin_not_started" in caplog.text)
        await asyncio.sleep(0)
    assert caplog.text.count("no such file") == 1


def test_idle_supervisor_has_not_imported_the_admin_server():
    code = """
        import asyncio, socket, sys
        import adc.cli.app, adc.control.start
        from adc.control.admin_listener import AdminListener

        def imported():
            return "aiohttp.web" in sys.modules

        async def main():
            sock = socket.create_server(("127.0.0.1", 0))
            sock.setblocking(False)
            listener = AdminListener(None)
            await listener.listen([sock])
            before = imported()
            reader, writer = await asyncio.open_connection(*sock.getsockname())
            writer.write(b"GET / HTTP/1.1\\r\\nHost: rebound.example\\r\\n\\r\\n")
            print(before, imported(), (await reader.readline()).split()[1].decode(), imported())
            await listener.close()

        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert output.split() == ["False", "False", "421", "True"]
