"""Clients and members of TCP listeners, and the configuration that joins them."""

import asyncio
import contextlib
import socket
import ssl
import struct

import pytest

from adc.l4.tcp.service import SPLICE_AFTER
from tests.kit.waiting import PATIENCE, settled, within

LARGE = bytes(range(256)) * (SPLICE_AFTER // 64)
"""Four times what is copied before bytes are spliced."""

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with which a close sends RST."""


def mapping(*members, listener=None, pool=None, **top):
    return {
        "listeners": [
            {"name": "web", "bind": "127.0.0.1:0", "protocol": "tcp", "pool": "app", **(listener or {})}
        ],
        "pools": {"app": {"members": list(members), **(pool or {})}},
        **top,
    }


async def echo(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def member(serve=echo, path="", *, host="127.0.0.1", port=0, **options):
    """A member whose connections `serve(reader, writer)` handles, on a port or at `path`; yields its address."""
    tasks = set()

    async def handle(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            with contextlib.suppress(OSError):
                await serve(reader, writer)
        finally:
            writer.close()

    if path:
        server = await asyncio.start_unix_server(handle, path, **options)
    else:
        server = await asyncio.start_server(handle, host, port, **options)
    try:
        yield f"unix:{path}" if path else f"{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()


class Flood:
    """Writes `LARGE` over and over, for as long as it is taken; `sent` counts bytes that are not waiting any more."""

    def __init__(self):
        self.sent = 0
        self._transport = None

    async def __call__(self, reader, writer):
        self._transport = writer.transport
        while True:
            writer.write(LARGE)
            await writer.drain()
            self.sent += len(LARGE)

    async def stopped(self):
        """Wait until nothing more is taken: bytes wait, and they still do after the loop looked for events ten times.

        Nobody else moves them: both ends and the proxy are in this process.
        """
        async with asyncio.timeout(PATIENCE):
            while True:
                before = (self.sent, self._waiting)
                await settled()
                if self._waiting and before == (self.sent, self._waiting):
                    return

    @property
    def _waiting(self):
        return 0 if self._transport is None else self._transport.get_write_buffer_size()


def named(name):
    async def serve(reader, writer):
        writer.write(name)
        await echo(reader, writer)

    return serve


async def until_reset(reader):
    """Read until the connection is reset; fails if it ends properly."""
    with pytest.raises(ConnectionResetError):
        await _read_all(reader)


async def _read_all(reader):
    while await within(reader.read(1 << 16)):
        pass


@contextlib.asynccontextmanager
async def connected(proxy, context=None, name="a.test", **options):
    """A client's connection, under TLS with `context`; yields its reader and writer."""
    secure = {} if context is None else {"ssl": context, "server_hostname": name}
    opening = asyncio.open_connection("127.0.0.1", proxy.port, **secure, **options)
    reader, writer = await within(opening)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def server_context(pair):
    """Return the context of a member with a certificate of `tests.kit.authority`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair["certificate"], pair["key"])
    return context


@contextlib.contextmanager
def full_backlog():
    """A listening socket whose queue is full, so that no connection to it is answered; yields its address."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(2):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield f"127.0.0.1:{full.getsockname()[1]}"
