"""Accepting connections, and what comes before HTTP: a PROXY protocol header, a TLS handshake, or both."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from adc.codecs.http1.settings import ServerSettings
from adc.codecs.http1.shed import MOST, ShedConnection
from adc.net.handshake import Handshake
from adc.net.proxy_protocol import MAX_V2, BadHeader, Endpoints, HeaderReader
from adc.net.share import AWAY, BATCH, Share

if TYPE_CHECKING:
    from adc.codecs.http1.server import ServerConnection

_MOST_WAITING = 4096
"""Connections accepted of those that wait when a socket is closed."""

_SHUTDOWN_SECONDS = 5.0
"""How long a client that was told the end of TLS may take to say so as well."""


_SHORT = "file descriptors are short"


class AcceptContext:
    """What the accepting sockets of one listener share; a reload changes it in place.

    `context` is for TLS, None without; a connection whose address `proxies` accepts must begin with a PROXY protocol
    header, one of anybody else has none. `protocol` makes the protocol of a connection that has arrived. `failed(
    reason, detail, address)` hears of those that do not. `arriving` counts those on their way in. `exhausted(why)`
    hears that nobody else can be accepted: the system said so, or one came with a descriptor from `max_descriptor` on.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: ServerSettings,
        failed: Callable[[str, str, str], None],
        share: Share,
    ) -> None:
        self.loop = loop
        self.settings = settings
        self.failed = failed
        self.share = share
        self.context: ssl.SSLContext | None = None
        self.proxies: Callable[[str], bool] | None = None
        self.protocol: Callable[[Handshake], ServerConnection]
        self.exhausted: Callable[[str], None] = _ignore
        self.max_descriptor = 1 << 30
        self.handshake_timeout = 10.0
        self.arriving = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, sock: socket.socket, address: Any) -> None:
        """Bring an accepted connection in."""
        settings = self.settings
        if len(settings.connections) + self.arriving < settings.max_connections:
            self.arriving += 1
            handshake = Handshake(address, self._left)
            task = self.loop.create_task(self._bring_in(sock, handshake))
        else:
            settings.rejected += 1
            if self.context is not None or settings.shedding >= MOST:
                sock.close()
                return
            handshake = None
            task = self.loop.create_task(self._turn_away(sock))
        self._tasks.add(task)
        task.add_done_callback(partial(self._done, sock, handshake))

    def _done(self, sock: socket.socket, handshake: Handshake | None, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if handshake is not None:
            handshake.release()
        if task.cancelled():  # perhaps before it began
            sock.close()

    def _left(self) -> None:
        self.arriving -= 1

    async def _bring_in(self, sock: socket.socket, handshake: Handshake) -> None:
        reason = "proxy_protocol"
        try:
            if self.proxies is not None and self.proxies(handshake.peer):
                await self._hear_proxy(sock, handshake)
            if not handshake.count(self.settings.sources):
                self.settings.rejected += 1
                sock.close()
                return
            reason = "accept" if self.context is None else "tls_handshake"
            await self._open(sock, handshake)
        except (OSError, BadHeader) as error:  # TimeoutError and ssl.SSLError among them
            sock.close()
            self.failed(reason, _words(error), handshake.peer)

    async def _turn_away(self, sock: socket.socket) -> None:
        """Tell one without TLS that there is no room; a handshake for that would cost as much as serving it."""
        try:
            await self.loop.connect_accepted_socket(partial(ShedConnection, self.settings), sock)
        except OSError:
            sock.close()

    async def _hear_proxy(self, sock: socket.socket, handshake: Handshake) -> None:
        async with asyncio.timeout(self.handshake_timeout):
            handshake.ends = await read_header(self.loop, sock)
        if handshake.ends is not None:
            handshake.address = handshake.ends[0]

    async def _open(self, sock: socket.socket, handshake: Handshake) -> None:
        protocol = self.protocol(handshake)
        if self.context is None:
            try:
                await self.loop.connect_accepted_socket(lambda: protocol, sock)
            except asyncio.CancelledError:
                if protocol in self.settings.connections:  # uvloop closes the transport, and tells nobody
                    protocol.connection_lost(None)
                raise
            return
        await self.loop.connect_accepted_socket(
            lambda: protocol,
            sock,
            ssl=self.context,
            ssl_handshake_timeout=self.handshake_timeout,
            ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
        )

    def drop_all(self) -> None:
        """Give up what has not arrived."""
        for task in self._tasks:
            task.cancel()


class Acceptor:
    """Accepts on one listening socket, which it closes at the end. While paused, who comes waits in the kernel's queue.

    The loop's own server will not do: it closes those it has no descriptor for, and shortens the queue to 100.
    """

    def __init__(self, entrance: AcceptContext, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._entrance = entrance
        self._sock = sock
        self._paused = True
        self._away: asyncio.TimerHandle | None = None

    def pause(self) -> None:
        """Leave new connections in the kernel's queue."""
        if not self._paused:
            self._paused = True
            if self._away is None:
                self._entrance.loop.remove_reader(self._sock.fileno())
            else:
                self._away.cancel()
                self._away = None

    def resume(self) -> None:
        """Accept from now on."""
        if self._paused:
            self._paused = False
            self._entrance.loop.add_reader(self._sock.fileno(), self._readable)

    def drain(self) -> None:
        """Accept those that wait, whom the kernel would reset when the last copy of the socket is closed, and close.

        Who connects between the last look and the close is reset: the kernel has no way to close only the door.
        """
        self.pause()
        for _ in range(_MOST_WAITING):
            if not self._accept():
                break
        self._sock.close()

    def _readable(self) -> None:
        share = self._entrance.share
        room = BATCH if share.alone else share.room(self._entrance.loop.time())
        if not room:
            self._give_way()
            return
        for _ in range(room):
            if self._paused or not self._accept():
                break
        if not share.alone:
            share.took()

    def _give_way(self) -> None:
        """Leave those who wait to the other workers for a moment."""
        loop = self._entrance.loop
        loop.remove_reader(self._sock.fileno())
        self._away = loop.call_later(AWAY, self._come_back)

    def _come_back(self) -> None:
        self._away = None
        self._entrance.loop.add_reader(self._sock.fileno(), self._readable)

    def _accept(self) -> bool:
        """Take one in; False if nobody waits, or nobody else can be taken in."""
        entrance = self._entrance
        try:
            sock, address = self._sock.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:
            entrance.exhausted(_words(error))
            return False
        sock.setblocking(False)
        room = sock.fileno() < entrance.max_descriptor
        if not room:
            entrance.exhausted(_SHORT)
        entrance.take(sock, address)
        return room


async def read_header(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> Endpoints | None:
    """Read a PROXY protocol header and not a byte more: what follows may be TLS. Raises BadHeader, OSError."""
    reader = HeaderReader()
    while not reader.done:
        await _until_readable(loop, sock)
        with suppress(BlockingIOError):
            seen = sock.recv(MAX_V2, socket.MSG_PEEK)
            if not seen:
                raise BadHeader("the connection was closed before a PROXY protocol header")
            sock.recv(reader.feed(seen))
    return reader.ends


async def _until_readable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
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
    """Nobody accepts here."""


def _words(error: Exception) -> str:
    """What went wrong, in few words."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, TimeoutError):
        return "not complete in time"
    return str(error) or type(error).__name__
