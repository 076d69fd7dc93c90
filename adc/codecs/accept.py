"""Accepting connections that do not begin with HTTP: a PROXY protocol header, a TLS handshake, or both."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from adc.codecs.http1.settings import ServerSettings
from adc.codecs.http1.shed import MOST, ShedConnection
from adc.codecs.proxy_protocol import MAX_V2, BadHeader, Ends, HeaderReader
from adc.codecs.sources import SourceLimit

_BATCH = 64
"""Connections accepted in a row before others get their turn."""

_SHUTDOWN_SECONDS = 5.0
"""How long a client that was told the end of TLS may take to say so as well."""


class Arrival:
    """A connection on its way in. `address` is the client's, as far as is known; `ends` what a header said.

    While it is under way it counts for the limit of its source.
    """

    __slots__ = ("_counted", "_sources", "address", "ends")

    def __init__(self, address: Any) -> None:
        self.address = address
        self.ends: Ends | None = None
        self._sources: SourceLimit | None = None
        self._counted = ""

    @property
    def peer(self) -> str:
        """The client's address as text."""
        return self.address[0] if isinstance(self.address, tuple) else "unix"

    def count(self, sources: SourceLimit | None) -> bool:
        """Count for the source; False if it has too many."""
        if sources is None:
            return True
        if not sources.admit(self.peer):
            return False
        self._sources, self._counted = sources, self.peer
        return True

    def release(self) -> None:
        """It has arrived, or never will."""
        if self._sources is not None:
            self._sources.leave(self._counted)
            self._sources = None


class Entrance:
    """What the accepting sockets of one listener share; a reload changes it in place.

    `context` is for TLS, None without; a connection whose address `proxies` accepts must begin with a PROXY protocol
    header, one of anybody else has none. `protocol` makes the protocol of a connection that has arrived. `failed(
    reason, detail, address)` hears of those that do not.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: ServerSettings,
        failed: Callable[[str, str, str], None],
    ) -> None:
        self.loop = loop
        self.settings = settings
        self.failed = failed
        self.context: ssl.SSLContext | None = None
        self.proxies: Callable[[str], bool] | None = None
        self.protocol: Callable[[Arrival], asyncio.Protocol]
        self.handshake_timeout = 10.0
        self.arriving: set[asyncio.Task[None]] = set()

    def take(self, sock: socket.socket, address: Any) -> None:
        """Bring an accepted connection in."""
        settings = self.settings
        if len(settings.connections) + len(self.arriving) < settings.max_connections:
            coming = self._bring_in(sock, Arrival(address))
        else:
            settings.rejected += 1
            if self.context is not None or settings.shedding >= MOST:
                sock.close()
                return
            coming = self._turn_away(sock)
        task = self.loop.create_task(coming)
        self.arriving.add(task)
        task.add_done_callback(self.arriving.discard)

    async def _bring_in(self, sock: socket.socket, arrival: Arrival) -> None:
        reason = "proxy_protocol"
        try:
            if self.proxies is not None and self.proxies(arrival.peer):
                await self._hear_proxy(sock, arrival)
            if not arrival.count(self.settings.sources):
                self.settings.rejected += 1
                sock.close()
                return
            reason = "tls_handshake"
            await self._open(sock, arrival)
        except (OSError, BadHeader) as error:  # TimeoutError and ssl.SSLError among them
            sock.close()
            self.failed(reason, _words(error), arrival.peer)
        except asyncio.CancelledError:
            sock.close()
            raise
        finally:
            arrival.release()

    async def _turn_away(self, sock: socket.socket) -> None:
        """Tell one without TLS that there is no room; a handshake for that would cost as much as serving it."""
        try:
            await self.loop.connect_accepted_socket(partial(ShedConnection, self.settings), sock)
        except OSError:
            sock.close()

    async def _hear_proxy(self, sock: socket.socket, arrival: Arrival) -> None:
        async with asyncio.timeout(self.handshake_timeout):
            arrival.ends = await read_header(self.loop, sock)
        if arrival.ends is not None:
            arrival.address = arrival.ends[0]

    async def _open(self, sock: socket.socket, arrival: Arrival) -> None:
        factory = partial(self.protocol, arrival)
        if self.context is None:
            await self.loop.connect_accepted_socket(factory, sock)
            return
        await self.loop.connect_accepted_socket(
            factory,
            sock,
            ssl=self.context,
            ssl_handshake_timeout=self.handshake_timeout,
            ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
        )

    def drop_all(self) -> None:
        """Give up what has not arrived."""
        for task in self.arriving:
            task.cancel()


class Acceptor:
    """Accepts on one listening socket, which it closes at the end.

    When descriptors or memory run out it pauses, and the kernel's queue holds who comes; `resume` from the tick.
    """

    def __init__(self, entrance: Entrance, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._entrance = entrance
        self._sock = sock
        self.paused = True
        self.resume()

    def pause(self) -> None:
        """Leave new connections in the kernel's queue."""
        if not self.paused:
            self.paused = True
            self._entrance.loop.remove_reader(self._sock.fileno())

    def resume(self) -> None:
        """Accept again."""
        if self.paused:
            self.paused = False
            self._entrance.loop.add_reader(self._sock.fileno(), self._readable)

    def close(self) -> None:
        """Accept no more."""
        self.pause()
        self._sock.close()

    def _readable(self) -> None:
        for _ in range(_BATCH):
            if self.paused:
                return
            try:
                sock, address = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                self._entrance.settings.exhausted()
                self.pause()
                return
            sock.setblocking(False)
            if sock.fileno() >= self._entrance.settings.max_descriptor:
                self._entrance.settings.exhausted()
            self._entrance.take(sock, address)


async def read_header(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> Ends | None:
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


def _words(error: Exception) -> str:
    """What went wrong, in few words."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, TimeoutError):
        return "not complete in time"
    return str(error) or type(error).__name__
