"""HTTP listeners of a worker: accepting on the sockets it was given, with settings that a reload changes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from functools import partial
from math import inf

from adc.codecs.clock import Clock
from adc.codecs.http1.server import ServerConnection
from adc.codecs.http1.settings import ServerSettings
from adc.config import Config
from adc.config.model.listeners import Listener
from adc.http.forwarded import client_address
from adc.http.message import Request
from adc.http.networks import Networks
from adc.proxy.exchange import Exchange
from adc.proxy.replies import Replies
from adc.proxy.service import Service
from adc.runtime.runtime import Find
from adc.telemetry.access_log import AccessLog
from adc.telemetry.error_log import ErrorLog


class HttpListener:
    """One listener: its service, its settings and its accepting servers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, service: Service) -> None:
        self._loop = loop
        self.service = service
        self.settings = ServerSettings(loop, clock, partial(Exchange, service), service.refuse_message)
        self._servers: dict[socket.socket, asyncio.Server] = {}

    def configure(
        self,
        config: Config,
        listener: Listener,
        find: Find,
        replies: Replies,
        access_log: AccessLog | None,
        error_log: ErrorLog,
    ) -> None:
        """Follow a configuration from now on; open connections do, too."""
        service, settings = self.service, self.settings
        service.replies, service.access_log, service.error_log, service.find = (
            replies,
            access_log,
            error_log,
            find,
        )
        timeouts, limits = listener.timeouts, listener.limits
        service.body_limit = limits.body
        service.request_body_timeout = timeouts.request_body or inf
        service.client_write_timeout = timeouts.write or inf
        settings.head_timeout = timeouts.request_head or inf
        settings.keep_alive = timeouts.keep_alive or inf
        settings.header_bytes = limits.header_bytes
        settings.header_count = limits.headers
        settings.target_bytes = limits.target
        settings.max_connections = limits.connections
        trusted = config.trusted_proxies if listener.trusted_proxies is None else listener.trusted_proxies
        networks = Networks([str(network) for network in trusted])
        settings.identify = partial(_identify, networks) if networks else None
        service.trusts = networks.contains

    async def accept(self, sockets: Sequence[socket.socket]) -> None:
        """Accept on exactly these sockets. The sockets stay the caller's."""
        for sock in [sock for sock in self._servers if sock not in sockets]:
            self._servers.pop(sock).close()
        for sock in sockets:
            if sock not in self._servers:
                self._servers[sock] = await self._serve(sock.dup())

    async def _serve(self, sock: socket.socket) -> asyncio.Server:
        factory = partial(ServerConnection, self.settings)
        if sock.family == socket.AF_UNIX:
            return await self._loop.create_unix_server(factory, sock=sock)
        return await self._loop.create_server(factory, sock=sock)

    def drain(self) -> None:
        """Accept no more; close idle connections now and the others after their response."""
        self.settings.draining = True
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        for connection in list(self.settings.connections):
            connection.drain()

    def tick(self, now: float) -> None:
        """Tell connections and exchanges whose time is up."""
        for connection in [each for each in self.settings.connections if each.deadline <= now]:
            connection.timed_out()
        self.service.tick(now)


def _identify(trusted: Networks, request: Request, connection: ServerConnection) -> None:
    """The client's address and scheme as trusted proxies say them."""
    if not trusted.contains(request.peer):
        return
    if b"x-forwarded-for" in request.noted:
        request.client = client_address(request.peer, request.headers.get_all(b"x-forwarded-for"), trusted)
    if request.noted.get(b"x-forwarded-proto") in (b"http", b"https"):
        request.scheme = request.noted[b"x-forwarded-proto"].decode()
