"""Agreement on a protocol (ALPN) by listeners that name theirs and have no default."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Final

from adc.l4.client_hello import BadHello, ClientHello, HelloReader
from adc.l4.tls_alert import NO_APPLICATION_PROTOCOL, send_alert
from adc.net.accept import BeforeTls, until_readable

MOST_BYTES: Final = 64 << 10
"""Bytes in which a ClientHello is looked for; OpenSSL decides on a larger one."""

_SPURIOUS: Final = 0.05
"""Seconds until a socket that became readable without a new byte is looked at again."""

_ESTABLISHED: Final = 1
_MOST_SHOWN: Final = 200


class NoCommonProtocol(OSError):
    """The client supports no protocol of the listener."""


def agreement(names: Iterable[str]) -> BeforeTls:
    """Return what rejects a connection whose ClientHello offers protocols, but none of `names`.

    Awaited before the handshake, it sends the alert no_application_protocol (RFC 7301 section 3.2), as nginx and
    OpenSSL's servers do, and raises NoCommonProtocol. Python's ssl module would go on without a protocol. A client that
    offers none is served.
    """
    supported = frozenset(name.encode() for name in names)

    async def agree(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        hello = await _peek(loop, sock)
        if hello is not None and hello.alpn and supported.isdisjoint(hello.alpn):
            send_alert(sock, NO_APPLICATION_PROTOCOL)
            offered = b", ".join(hello.alpn)[:_MOST_SHOWN].decode("ascii", "backslashreplace")
            raise NoCommonProtocol(f"no common protocol (ALPN): {offered}")

    return agree


async def _peek(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> ClientHello | None:
    """Return the ClientHello without taking it off the socket; None if none can follow."""
    reader = HelloReader(MOST_BYTES)
    try:
        while True:
            await until_readable(loop, sock)
            seen = _bytes_in(sock)
            known = len(reader.data)
            if len(seen) > known:
                hello = reader.feed(seen[known:])
                if hello is not None:
                    return hello
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, len(seen) + 1)
            elif _ended(sock):
                return None
            else:
                await asyncio.sleep(_SPURIOUS)
    except BadHello:
        return None  # the handshake fails, and says why
    finally:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)


def _bytes_in(sock: socket.socket) -> bytes:
    try:
        return sock.recv(MOST_BYTES + 1, socket.MSG_PEEK)
    except BlockingIOError:
        return b""


def _ended(sock: socket.socket) -> bool:
    """True if the client has closed its half of a TCP connection."""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != bytes((_ESTABLISHED,))
    except OSError:  # a unix socket
        return False
