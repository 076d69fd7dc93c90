"""The admin application, and the server that runs it on a socket of the supervisor."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable

from aiohttp import web

from adc.admin import api_cache, api_members, api_sessions, api_status, metrics, pages
from adc.admin.guard import guard
from adc.admin.node import Node
from adc.admin.responses import MAX_BODY

CLOSE_WITHIN = 2.0
"""Seconds that answers in flight get when the server closes."""


def application(node: Node, allowed_hosts: Collection[str] = ()) -> web.Application:
    """Everything that the admin server answers, one module per subject."""
    app = web.Application(middlewares=[guard(allowed_hosts)], client_max_size=MAX_BODY)
    for subject in (api_status, api_cache, api_members, api_sessions, metrics, pages):
        app.add_routes(subject.routes(node))
    return app


class AdminServer:
    """Serves the application on the listening sockets that it was last given."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._runner: web.AppRunner | None = None

    async def start(self, sockets: Iterable[socket.socket], allowed_hosts: Collection[str] = ()) -> None:
        """Serve on `sockets` (on duplicates: the caller's stay open), on no others any more."""
        await self.close()
        self._runner = web.AppRunner(
            application(self._node, allowed_hosts),
            access_log=None,
            handle_signals=False,
            keepalive_timeout=15.0,
            shutdown_timeout=CLOSE_WITHIN,
        )
        await self._runner.setup()
        for sock in sockets:
            await web.SockSite(self._runner, sock.dup()).start()

    async def close(self) -> None:
        """Stop listening, let answers in flight finish."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()
