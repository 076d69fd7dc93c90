"""Opening transports to one member: names looked up again and again, TLS, time limits left to the caller."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

from adc.net.leftover import LeftoverReader
from adc.net.names import Addresses, Names, is_address

_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
"""A silent peer is probed after 15 seconds, and counts as dead 15 seconds later."""


class Dialer:
    """Connects to `host:port` or to the unix socket at `path`.

    A host that is a name is resolved when a connection is opened and the answer is older than `interval` seconds; a
    failed look-up keeps the old answer. `moved` is called when the addresses changed, so that connections to where
    the name no longer leads can be dropped. Several addresses are used in turn, one that fails is passed over. Members
    that are given the same `names` share lookups. `known` are addresses that were looked up already.
    """

    __slots__ = (
        "_addresses",
        "_looking",
        "_loop",
        "_names",
        "_next",
        "_resolved_at",
        "_tls",
        "host",
        "interval",
        "moved",
        "path",
        "port",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        host: str,
        port: int,
        path: str = "",
        *,
        interval: float = 30.0,
        names: Names | None = None,
        known: Addresses = (),
    ) -> None:
        self._loop = loop
        self._names = names or Names(loop)
        self.host = host
        self.port = port
        self.path = path
        self._tls: tuple[ssl.SSLContext, str] | None = None
        self.interval = interval
        self.moved: Callable[[], None] = _ignore
        self._addresses: Addresses = known or ((host,) if is_address(host) else ())
        self._resolved_at = float("inf") if self._addresses else -float("inf")
        self._next = 0
        self._looking: asyncio.Task[None] | None = None

    async def __call__(self, factory: Callable[[], asyncio.BaseProtocol], preface: bytes = b"") -> None:
        """Open a transport for the protocol that `factory` makes. Raises OSError.

        `preface` is what goes before everything else, TLS included.
        """
        if self.path:
            await self._connect(factory, socket.AF_UNIX, self.path, preface)
            return
        if not self._addresses:
            await self._look_up()
        addresses = self._addresses
        self._next += 1
        failed: OSError = socket.gaierror(f"{self.host} has no address")
        for offset in range(len(addresses)):
            address = addresses[(self._next + offset) % len(addresses)]
            try:
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                await self._connect(factory, family, address, preface)
            except OSError as error:
                failed = error
            else:
                return
        try:
            raise failed
        finally:
            del failed  # its traceback holds this frame: a cycle otherwise

    async def _connect(
        self, factory: Callable[[], asyncio.BaseProtocol], family: int, address: str, preface: bytes
    ) -> None:
        if self._tls is None:
            await self._open(factory, family, address, preface)
            return
        context, name = self._tls
        plain = await self._open(asyncio.Protocol, family, address, preface)
        protocol = factory()
        try:
            transport = await self._loop.start_tls(plain, protocol, context, server_hostname=name)
        except RuntimeError as error:  # uvloop's word for a transport that closed meanwhile
            raise ConnectionResetError("the member closed the connection before the handshake") from error
        except BaseException:
            plain.abort()
            raise
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the member closed the connection after the handshake")
        plain.set_protocol(LeftoverReader(plain, plain.get_protocol()))
        protocol.connection_made(transport)

    async def _open(
        self, factory: Callable[[], asyncio.BaseProtocol], family: int, address: str, preface: bytes
    ) -> Any:
        """Return an open transport without TLS."""
        loop = self._loop
        sock = await self._prefaced(family, address, preface) if preface else None
        if family == socket.AF_UNIX:
            path = None if preface else address
            return (await loop.create_unix_connection(factory, path, sock=sock))[0]
        if sock is not None:
            transport: Any = (await loop.create_connection(factory, sock=sock))[0]
        else:
            transport = (await loop.create_connection(factory, address, self.port))[0]
        _probe(transport)
        return transport

    async def _prefaced(self, family: int, address: str, preface: bytes) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            target = address if family == socket.AF_UNIX else (address, self.port)
            await self._loop.sock_connect(sock, target)
            await self._loop.sock_sendall(sock, preface)
        except BaseException:
            sock.close()
            raise
        return sock

    def secure(self, context: ssl.SSLContext | None, name: str | None) -> None:
        """Open connections under TLS from now on, None: without. `name` is sent and verified; the host by default."""
        self._tls = None if context is None else (context, name or self.host or "localhost")

    def refresh(self, now: float) -> None:
        """Look the name up again if the answer is too old; called from the tick."""
        if now - self._resolved_at >= self.interval and (self._looking is None or self._looking.done()):
            self._resolved_at = now
            self._looking = self._loop.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            await self._look_up()
        except OSError:
            return

    async def _look_up(self) -> None:
        addresses = await self._names.addresses(self.host)
        before, self._addresses = self._addresses, addresses
        self._resolved_at = self._loop.time()
        if before and set(before) != set(addresses):
            self.moved()


def _probe(transport: Any) -> None:
    """Let the kernel probe an idle peer, so that a flow that a firewall forgot ends before a request is lost in it."""
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        for level, option, value in _KEEPALIVE:
            sock.setsockopt(level, option, value)


def _ignore() -> None:
    """No-op: the caller does not watch the addresses of its name."""
