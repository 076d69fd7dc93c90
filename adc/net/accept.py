"""Accepting connections, and what comes before their protocol: a PROXY protocol header, a TLS handshake, or both."""

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
from adc.net.share import AWAY, BATCH, Share
from adc.net.tcp_options import close_by_reset

MOST_SHED = 1024
"""Connections over the limit that get a response at the same time; further ones are closed without one."""

_MOST_WAITING = 4096
"""Most waiting connections that are accepted when a socket is closed."""

_SHUTDOWN_SECONDS = 5.0
"""Maximum wait for the client's close_notify after adc's."""


_PATIENCE = 1.0
"""Seconds after which a handshake in progress makes room for another one."""

_SHORT = "file descriptors are short"

_STREAM = int(socket.SOCK_STREAM)


BeforeTls = Callable[[asyncio.AbstractEventLoop, socket.socket], Awaitable[None]]


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
    is handed over as a socket, with its address as the socket gives it and the ends that a PROXY protocol header
    named.
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
        self.plain: Callable[[socket.SocketType, Any, Endpoints | None], None] | None = None
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

    @property
    def direct(self) -> bool:
        """True if nothing comes before the protocol of a connection that is handed over as a socket."""
        return self.plain is not None and self.context is None and self.proxies is None

    def take_plain(self, sock: socket.SocketType, address: Any) -> None:
        """Hand over an accepted connection before which nothing comes; call it only while `direct`."""
        state, plain = self.state, self.plain
        if plain is None or len(state.connections) + self.arriving >= state.max_connections:
            state.rejected += 1
            sock.close()
        else:
            plain(sock, address, None)

    async def _open(self, sock: socket.socket, handshake: Handshake) -> None:
        if self.plain is not None and self.context is None:
            handshake.release()
            self.plain(sock, handshake.address, handshake.endpoints)
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


class Acceptor:
    """Accepts on one listening socket, which it closes at the end. While it is paused, new connections wait in the
    kernel's queue.

    The loop's own server closes connections that it has no descriptor for, and shortens the queue to 100.
    """

    def __init__(self, context: AcceptContext, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._context = context
        self._sock = sock
        self._family = int(sock.family)
        self._paused = True
        self._away: asyncio.TimerHandle | None = None

    def pause(self) -> None:
        """Leave new connections in the kernel's queue."""
        if not self._paused:
            self._paused = True
            if self._away is None:
                self._context.loop.remove_reader(self._sock.fileno())
            else:
                self._away.cancel()
                self._away = None

    def resume(self) -> None:
        """Accept from now on."""
        if self._paused:
            self._paused = False
            self._context.loop.add_reader(self._sock.fileno(), self._readable)

    def drain(self) -> None:
        """Accept the waiting connections, which the kernel would reset when the last copy of the socket is closed, and
        close.

        A connection that arrives between the last accept and the close is reset: the kernel cannot refuse new
        connections only.
        """
        self.pause()
        for _ in range(_MOST_WAITING):
            if not self._accept():
                break
        self._sock.close()

    def _readable(self) -> None:
        share = self._context.share
        room = BATCH if share.alone else share.room(self._context.loop.time())
        if not room:
            self._back_off()
            return
        for _ in range(room):
            if self._context.crowded:
                self._back_off()
                break
            if self._paused or not self._accept():
                break
        if not share.alone:
            share.took()

    def _back_off(self) -> None:
        """Leave waiting connections to the other workers for `AWAY` seconds."""
        loop = self._context.loop
        loop.remove_reader(self._sock.fileno())
        self._away = loop.call_later(AWAY, self._resume_after_backing_off)

    def _resume_after_backing_off(self) -> None:
        self._away = None
        self._context.loop.add_reader(self._sock.fileno(), self._readable)

    def _accept(self) -> bool:
        """Accept one connection; False if none waits, or no further one can be accepted."""
        context, listening = self._context, self._sock
        try:
            number, address = listening._accept()  # type: ignore[attr-defined]
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:
            context.exhausted(_words(error))
            return False
        room: bool = number < context.max_descriptor
        if not room:
            context.exhausted(_SHORT)
        # `listening.accept()` makes a `socket.socket`, whose constructor is Python: a plain flow needs none.
        direct = context.direct
        kind: Callable[..., Any] = socket.SocketType if direct else socket.socket
        sock = kind(self._family, _STREAM, 0, number)
        sock.setblocking(False)
        if context.admit is not None and not context.admit(address, sock.getsockname()):
            reset(sock)
        elif direct:
            context.take_plain(sock, address)
        else:
            context.take(sock, address)
        return room


def reset(sock: socket.SocketType) -> None:
    """Close a connection with RST, and without sending what waits in the socket."""
    close_by_reset(sock)
    sock.close()


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
