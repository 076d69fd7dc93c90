"""One health check of one member: HTTP, TCP connect or TLS handshake, within a time limit, reading little."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from adc.codecs.tls import member_context
from adc.http.headers import Headers
from adc.pools.expect import BODY_LIMIT, Expectation
from adc.runtime.tls import context_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adc.config.model.address import Address
    from adc.config.model.health import ActiveHealth, HealthExpect
    from adc.config.model.tls import MemberTls

Check = Callable[[], Awaitable[str | None]]
"""Does one check: None if the member passed, else why not. Never raises."""

MAX_LINE = 8190
MAX_REASON = 200
USER_AGENT = "adc health check"


def build_check(address: Address, health: ActiveHealth, tls: MemberTls | None) -> Check:
    """The check of one member. Raises OSError or ValueError if a certificate file cannot be used."""
    context = _context(tls) if tls is not None or health.tls else None
    host, port = address.host, health.port or address.port
    name = (tls.sni if tls is not None else None) or host or None
    if health.path is None:
        return _limited(_Connect(host, port, address.path, context, name), health.timeout)
    return _limited(_Ask(address, health, context, name), health.timeout)


def _limited(check: Callable[[], Awaitable[str | None]], timeout: float) -> Check:
    async def limited() -> str | None:
        try:
            async with asyncio.timeout(timeout):
                return await check()
        except TimeoutError:
            return f"no answer within {timeout:g} s"
        except (OSError, aiohttp.ClientError, ValueError) as error:
            return _words(error)

    return limited


def _words(error: Exception) -> str:
    """Why it failed: what the operating system or the TLS library said, rather than who passed it on."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, socket.gaierror):
        return "the name does not resolve"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return f"{type(error).__name__}: {error}"[:MAX_REASON]


class _Connect:
    """Connect, with TLS the handshake too, and hang up."""

    def __init__(
        self, host: str, port: int, path: str, context: ssl.SSLContext | None, name: str | None
    ) -> None:
        self._host = host
        self._port = port
        self._path = path
        self._context = context
        self._name = name if context is not None else None

    async def __call__(self) -> None:
        if self._path:
            _, writer = await asyncio.open_unix_connection(
                self._path, ssl=self._context, server_hostname=self._name
            )
        else:
            _, writer = await asyncio.open_connection(
                self._host, self._port, ssl=self._context, server_hostname=self._name
            )
        writer.transport.abort()


class _Ask:
    """Send a request on a connection of its own and compare the answer with what is expected."""

    def __init__(
        self, address: Address, health: ActiveHealth, context: ssl.SSLContext | None, name: str | None
    ) -> None:
        scheme = "http" if context is None else "https"
        host = f"[{address.host}]" if ":" in address.host else address.host or "localhost"
        port = health.port or address.port
        authority = f"{host}:{port}" if port else host
        self._url = URL(f"{scheme}://{authority}{health.path}", encoded=True)
        self._path = address.path
        self._method = health.method
        self._fields = {"User-Agent": USER_AGENT, **health.headers}
        if health.host is not None:
            self._fields["Host"] = health.host
        self._context = context
        self._name = name if context is not None else None
        self._expected = _expectation(health.expect)

    async def __call__(self) -> str | None:
        async with (
            self._session() as session,
            session.request(
                self._method,
                self._url,
                headers=self._fields,
                allow_redirects=False,
                server_hostname=self._name,
            ) as response,
        ):
            body = await _beginning(response.content) if self._expected.reads_body else b""
            return self._expected.failure(response.status, Headers(response.raw_headers), body)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        connector: aiohttp.BaseConnector
        if self._path:
            connector = aiohttp.UnixConnector(self._path, force_close=True)
        else:
            connector = aiohttp.TCPConnector(
                force_close=True,
                use_dns_cache=False,
                ssl=self._context if self._context is not None else True,
            )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as session:
            yield session


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """Up to BODY_LIMIT bytes."""
    body = bytearray()
    while len(body) < BODY_LIMIT and (piece := await content.read(BODY_LIMIT - len(body))):
        body += piece
    return bytes(body)


def _expectation(expect: HealthExpect) -> Expectation:
    statuses = ",".join(f"{first}-{last}" if first != last else str(first) for first, last in expect.status)
    headers = {name.lower(): value for name, value in expect.headers.items()}
    return Expectation(statuses, body=expect.body, body_regex=expect.body_regex or "", headers=headers)


def _context(tls: MemberTls | None) -> ssl.SSLContext:
    """That of the pool's traffic; without any, only whether TLS is spoken is checked."""
    return member_context(verify=False) if tls is None else context_of(tls)
