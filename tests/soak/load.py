"""Clients of the memory suite."""

import asyncio
import contextlib
import socket
import struct


def request(path, *lines, method="GET"):
    """The bytes of a request head."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: a", *lines, "", ""]).encode()


async def many(port, requests, connections=16):
    """Send `requests` over `connections`, one at a time on each; returns how many were not answered with 200."""
    pending = iter(requests)
    failed = await asyncio.gather(*(_client(port, pending) for _ in range(connections)))
    return sum(failed)


async def _client(port, pending):
    failed = 0
    connection = None
    for data in pending:
        reused = connection is not None
        try:
            connection = connection or await asyncio.open_connection("127.0.0.1", port)
            answered = await _ask(*connection, data)
        except (OSError, asyncio.IncompleteReadError):
            connection = None
            answered = reused and not await _client(port, iter([data]))  # it may have been closed as idle
        failed += not answered
    if connection is not None:
        connection[1].close()
    return failed


async def _ask(reader, writer, data):
    writer.write(data)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"content-length: " in head:
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
    elif b"chunked" in head:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    return head.startswith(b"http/1.1 200")


async def leave_at_once(port, data):
    """Send a request and close as soon as the response begins."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 12)
    writer.write(data)
    with contextlib.suppress(OSError):
        await reader.read(1)
    writer.transport.abort()


@contextlib.asynccontextmanager
async def held(port, count, data, receive_buffer=0):
    """`count` connections that have sent as much of `data` as was taken within a few seconds, and read nothing.

    They end with a reset, so that what the kernel holds of their data is gone as well.
    """
    connections = []
    try:
        connections.extend([await _silent(port, receive_buffer) for _ in range(count)])
        sent = [asyncio.ensure_future(_send(writer, data)) for _, writer in connections]
        await asyncio.wait(sent, timeout=4)
        yield connections
        for task in sent:
            task.cancel()
        await asyncio.gather(*sent, return_exceptions=True)
    finally:
        for _, writer in connections:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


async def _silent(port, receive_buffer):
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 12)
    return reader, writer


async def _send(writer, data):
    with contextlib.suppress(OSError):
        for start in range(0, len(data), 64 << 10):
            writer.write(data[start : start + (64 << 10)])
            await writer.drain()
