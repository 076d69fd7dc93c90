"""Connections over the limit of a listener: they get a cheap response, and are closed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adc.codecs.http1.settings import Http1Settings

_SECONDS = 2.0
_BODY = b"Too many connections; try again later.\n"
_HEAD = b"HTTP/1.1 503 Service Unavailable\r\nServer: adc\r\n%bRetry-After: 5\r\nConnection: close\r\n"
_REST = (
    b'Proxy-Status: adc; error=connection_limit_reached; details="limit_connections"\r\n'
    b"Cache-Control: no-store\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b"
) % (len(_BODY), _BODY)


class ShedConnection(asyncio.Protocol):
    """Answers the first bytes that come with 503, whatever they are (a PROXY protocol header too), and gives the
    client a moment to read it.
    """

    def __init__(self, settings: Http1Settings) -> None:
        self._settings = settings
        self._told = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._settings.listener.shedding += 1
        self._end = self._settings.loop.call_later(_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        if not self._told:
            self._told = True
            self._transport.write(_HEAD % self._settings.clock.date_line + _REST)
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        self._settings.listener.shedding -= 1
