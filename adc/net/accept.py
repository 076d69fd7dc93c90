"""What comes before the protocol of accepted connections: a PROXY protocol header, a TLS handshake, or both."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast

from adc.net.handshake import Handshake
from adc.net.listener_state import ListenerState, OpenConnection
from adc.net.protocol_choice import ChooseProtocol, ProtocolChoice
from adc.net.proxy_protocol import MAX_V2, BadHeader, Endpoints, HeaderReader
from adc.net.share import Share
from adc.net.tcp_options import reset

MOST_SHED = 1024
"""Connections over the limit that get a response at the same time; further ones are closed without one."""

_SHUTDOWN_SECONDS = 5.0
"""Maximum wait for the client's close_notify after adc's."""


_PATIENCE = 1.0
"""Seconds after which a handshake in progress makes room for another one."""


BeforeTls = Callable[[asyncio.AbstractEventLoop, socket.socket], Awaitable[None]]
TakePlain = Callable[[socket.SocketType, Any, Endpoints | None, Any], None]


class AcceptContext:
    """What the accepting sockets of one listener share; a reload changes it in place.

    `context` is for TLS, None without. `before_tls(loop, sock)` is awaited before a handshake within its timeout, and
    rejects the connection by an OSError. A connection from an address that `proxies` matches must begin with a PROXY
    protocol header; connections from other addresses have none. `protocol` chooses the protocol of a connection once
    its handshake is complete. `shed` makes the protocol of a connection over the limit, which reports that to the
    client; without it such a connection is closed. `failed(reason, detail, address)` is called for connections whose
    handshake fails. `arriving` counts handshakes in progress, of which `max_handshakes` may be under TLS.
    `exhausted(why)` is called when no further connection can be accepted: the system reported it, or a descriptor
    was `max_descriptor` or higher. `admit(client_address, own_address)` is asked first of all, and `admit_client`
    once a PROXY protocol header has named both; False resets the connection. With `plain`, a connection without TLS
    is handed over as a socket, with its address as the socket gives it, the ends that a PROXY protocol header named,
    and the address that the client connected to, None if only the socket knows it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        state: ListenerState,
        failed: Callable[[str, str, str], None],
        share: Share,
    ) -> None:
        self.loop = loop
        self.state = state
        self.failed = failed
        self.share = share
        self.context: ssl.SSLContext | None = None
        self.before_tls: BeforeTls | None = None
        self.proxies: Callable[[str], bool] | None = None
        self.protocol: ChooseProtocol
        self.admit: Callable[[Any, Any], bool] | None = None
        self.admit_client: Callable[[Any, Any], bool] | None = None
        self.plain: TakePlain | None = None
        self.shed: Callable[[], asyncio.BaseProtocol] | None = None
        self.exhausted: Callable[[str], None] = _ignore
        self.max_descriptor = 1 << 30
        self.handshake_timeout = 10.0
        self.max_handshakes = 1 << 30
        self.arriving = 0
        self._tasks: dict[asyncio.Task[None], tuple[float, Handshake | None]] = {}

    def take(self, sock: socket.socket, address: Any) -> None:
        """Begin the handshake of an accepted connection, or shed it."""
        state = self.state
        if len(state.connections) + self.arriving < state.max_connections:
            if self.context is not None and len(self._tasks) >= self.max_handshakes:
                self._make_room()
            self.arriving += 1
            handshake = Handshake(address, self._left)
            task = self.loop.create_task(self._shake_hands(sock, handshake))
        else:
            state.rejected += 1
            shed = self.shed
            if shed is None or self.context is not None or state.shedding >= MOST_SHED:
                sock.close()
                return
            handshake = None
            task = self.loop.create_task(self._shed(shed, sock))
        self._tasks[task] = (self.loop.time(), handshake)
        task.add_done_callback(partial(self._done, sock, handshake))

    def _done(self, sock: socket.socket, handshake: Handshake | None, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if handshake is not None:
            handshake.release()
        if task.cancelled():  # perhaps before it began
            sock.close()

    @property
    def crowded(self) -> bool:
        """True if new connections have to wait for a TLS handshake in progress: there are many, all of them young."""
        if self.context is None or len(self._tasks) < self.max_handshakes:
            return False
        began, _ = next(iter(self._tasks.values()))
        return self.loop.time() - began < _PATIENCE

    def _make_room(self) -> None:
        """End the oldest handshake in progress: honest clients need less time."""
        task, (_, handshake) = next(iter(self._tasks.items()))
        del self._tasks[task]
        task.cancel()
        if handshake is not None:
            self.failed("limit_handshakes", f"the oldest of {self.max_handshakes}", handshake.peer)

    def _left(self) -> None:
        self.arriving -= 1

    async def _shake_hands(self, sock: socket.socket, handshake: Handshake) -> None:
        reason = "proxy_protocol"
        try:
            if self.proxies is not None and self.proxies(handshake.peer):
                await self._read_proxy_header(sock, handshake)
                if not self._admits(sock, handshake):
                    reset(sock)
                    return
            if not handshake.count(self.state.sources):
                self.state.rejected += 1
                sock.close()
                return
            reason = "accept" if self.context is None else "tls_handshake"
            await self._open(sock, handshake)
        except (OSError, BadHeader) as error:  # TimeoutError and ssl.SSLError among them
            sock.close()
            self.failed(reason, _words(error), handshake.peer)

    def _admits(self, sock: socket.socket, handshake: Handshake) -> bool:
        """Return the decision about a client behind a proxy."""
        own = sock.getsockname() if handshake.endpoints is None else handshake.endpoints[1]
        return self.admit_client is None or self.admit_client(handshake.address, own)

    async def _shed(self, shed: Callable[[], asyncio.BaseProtocol], sock: socket.socket) -> None:
        """Respond to a client without TLS that there is no room; a TLS handshake would cost as much as serving it."""
        try:
            await self.loop.connect_accepted_socket(shed, sock)
        except OSError:
            sock.close()

    async def _read_proxy_header(self, sock: socket.socket, handshake: Handshake) -> None:
        async with asyncio.timeout(self.handshake_timeout):
            handshake.endpoints = await read_header(self.loop, sock)
        if handshake.endpoints is not None:
            handshake.address = handshake.endpoints[0]

    async def _open(self, sock: socket.socket, handshake: Handshake) -> None:
        if self.plain is not None and self.context is None:
            handshake.release()
            self.plain(sock, handshake.address, handshake.endpoints, None)
            return
        if self.context is None:
            protocol = self.protocol(handshake, "")
            try:
                await self.loop.connect_accepted_socket(lambda: protocol, sock)
            except asyncio.CancelledError:
                if (
                    cast(OpenConnection, protocol) in self.state.connections
                ):  # uvloop closes the transport without notifying it
                    protocol.connection_lost(None)
                raise
            return
        handshake.secure = True
        if self.before_tls is not None:
            async with asyncio.timeout(self.handshake_timeout):
                await self.before_tls(self.loop, sock)
        await self.loop.connect_accepted_socket(
            lambda: ProtocolChoice(self.protocol, handshake),
            sock,
            ssl=self.context,
            ssl_handshake_timeout=self.handshake_timeout,
            ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
        )

    def drop_all(self) -> None:
        """Cancel the handshakes in progress."""
        for task in self._tasks:
            task.cancel()


async def read_header(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> Endpoints | None:
    """Read a PROXY protocol header and not a byte more: what follows may be TLS. Raises BadHeader, OSError."""
    reader = HeaderReader()
    while not reader.done:
        await until_readable(loop, sock)
        with suppress(BlockingIOError):
            seen = sock.recv(MAX_V2, socket.MSG_PEEK)
            if not seen:
                raise BadHeader("the connection was closed before a PROXY protocol header")
            sock.recv(reader.feed(seen))
    return reader.ends


async def until_readable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    """Wait until a read of `sock` would not block; nothing else may wait for it."""
    readable = loop.create_future()
    number = sock.fileno()
    loop.add_reader(number, _settle, readable)
    try:
        await readable
    finally:
        loop.remove_reader(number)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _ignore(why: str) -> None:
    """No-op: nothing pauses the accepting."""


def _words(error: Exception) -> str:
    """Describe `error` in a few words."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, TimeoutError):
        return "not complete in time"
    return str(error) or type(error).__name__
