"""The admin application, and the server that runs it on a socket of the supervisor."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable

from aiohttp import web

from adc.admin import api_operations, api_status, metrics, pages
from adc.admin.access import Access
from adc.admin.guard import guard
from adc.admin.node import Node
from adc.admin.responses import MAX_BODY
from adc.admin.wellformed import http_log, well_formed

CLOSE_WITHIN = 2.0
"""Seconds that answers in flight get when the server closes."""


def application(node: Node, access: Access) -> web.Application:
    """Return the application of the admin server, one module per subject."""
    app = web.Application(middlewares=[well_formed, guard(access)], client_max_size=MAX_BODY)
    for subject in (api_status, api_operations, metrics, pages):
        app.add_routes(subject.routes(node))
    return app


class AdminServer:
    """Serves the application on the listening sockets that it was last given. `access` may change at any time."""

    def __init__(self, node: Node, access: Access) -> None:
        self._node = node
        self._runner: web.AppRunner | None = None
        self._access = access

    async def start(self, sockets: Iterable[socket.socket], tls: ssl.SSLContext | None = None) -> None:
        """Serve on `sockets` (on duplicates: the caller's stay open), on no others any more.

        Requests in flight on the others are answered first.
        """
        before, self._runner = self._runner, self._new_runner()
        await self._runner.setup()
        for sock in sockets:
            await web.SockSite(self._runner, sock.dup(), ssl_context=tls).start()
        if before is not None:
            await before.cleanup()

    def _new_runner(self) -> web.AppRunner:
        return web.AppRunner(
            application(self._node, self._access),
            access_log=None,
            logger=http_log,
            handle_signals=False,
            keepalive_timeout=15.0,
            shutdown_timeout=CLOSE_WITHIN,
        )

    async def close(self) -> None:
        """Stop listening, let answers in flight finish."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()
