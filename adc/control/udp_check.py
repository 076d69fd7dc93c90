"""A health check by a datagram: sent to the member, whose reply or silence decides."""

from __future__ import annotations

import asyncio
import socket

_DATAGRAM = 65_536


class UdpCheck:
    """Sends `send` to a member. With `expect` the first reply must contain it. Without it the member passes unless its
    host reports within `patience` seconds that the port is closed (ICMP)."""

    def __init__(self, host: str, port: int, send: bytes, expect: bytes | None, patience: float) -> None:
        self._host = host
        self._port = port
        self._send = send
        self._expect = expect
        self._patience = patience

    async def __call__(self) -> str | None:
        """Return why the member failed, None if it passed. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        family, kind, _, _, address = found[0]
        with socket.socket(family, kind) as sock:
            sock.setblocking(False)
            sock.connect(address)
            sock.send(self._send)
            if self._expect is not None:
                reply = await _received(sock)
                return None if self._expect in reply else "the reply does not contain what is expected"
            try:
                async with asyncio.timeout(self._patience):
                    await _received(sock)
            except TimeoutError:
                return None
        return None


async def _received(sock: socket.socket) -> bytes:
    """Return the next datagram. Raises OSError."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(sock.fileno(), readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(sock.fileno())
    return sock.recv(_DATAGRAM)
