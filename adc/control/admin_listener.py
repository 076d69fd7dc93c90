"""The admin server's listening sockets. The server is imported at the first connection: it takes memory that a
service without one does not need."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from adc.admin.access import Access
from adc.telemetry.event_log import EventLog

if TYPE_CHECKING:
    from adc.admin.node import Node
    from adc.admin.server import AdminServer

log = EventLog(__name__)


class AdminListener:
    """Waits for the first connection, then lets the admin server accept. `access` may change at any time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._server: AdminServer | None = None
        self._waiting: list[socket.socket] = []
        self._tls: ssl.SSLContext | None = None
        self._changing = asyncio.Lock()
        self._starting: asyncio.Task[None] | None = None
        self.access = Access()

    async def listen(self, sockets: Iterable[socket.socket], tls: ssl.SSLContext | None = None) -> None:
        """Serve on `sockets` (on duplicates: the caller's stay open), on no others any more."""
        async with self._changing:
            if self._server is not None:
                await self._server.start(sockets, tls)
            else:
                self._wait(sockets, tls)

    async def close(self) -> None:
        """Stop listening, let responses in flight finish."""
        async with self._changing:
            self._wait(())
            if self._server is not None:
                await self._server.close()

    def _wait(self, sockets: Iterable[socket.socket], tls: ssl.SSLContext | None = None) -> None:
        """Wait for a connection on `sockets`, on no others any more."""
        for sock in self._no_longer_waiting():
            sock.close()
        self._waiting, self._tls = [sock.dup() for sock in sockets], tls
        for sock in self._waiting:
            asyncio.get_running_loop().add_reader(sock, self._start_server)

    def _no_longer_waiting(self) -> list[socket.socket]:
        """Return the sockets on which a connection was awaited."""
        sockets, self._waiting = self._waiting, []
        for sock in sockets:
            asyncio.get_running_loop().remove_reader(sock)
        return sockets

    def _start_server(self) -> None:
        """Start the server, which accepts the connection from the kernel's queue."""
        for sock in self._waiting:  # a connection is reported until it is accepted
            asyncio.get_running_loop().remove_reader(sock)
        if self._starting is None or self._starting.done():
            self._starting = asyncio.get_running_loop().create_task(self._start())

    async def _start(self) -> None:
        async with self._changing:
            sockets = self._no_longer_waiting()
            try:
                if sockets:  # none: they were closed before it came to this
                    self._server = await self._new_server()
                    await self._server.start(sockets, self._tls)
            except Exception as error:  # the service goes on without an admin server
                log.error("admin_not_started", error=repr(error))
            finally:
                for sock in sockets:
                    sock.close()

    async def _new_server(self) -> AdminServer:
        """Import the server in a thread: health checks and workers are not kept waiting."""
        await asyncio.to_thread(import_module, "adc.admin.server")
        from adc.admin.server import AdminServer

        return AdminServer(self._node, self.access)
