"""One health check of one member, in a limited time: a request, a connect, a TLS handshake, as traffic does it, or a
datagram."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from adc.codecs.http1.client import ClientConnection
from adc.codecs.http1.link import HttpLink
from adc.control.probe_response import Answer, MemberFailed, check_request
from adc.control.udp_check import UdpCheck
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.net.dial import Dialer
from adc.net.proxy_protocol import compose
from adc.net.tls import member_context
from adc.pools.expect import Expectation
from adc.runtime.assembly.tls import context_of

if TYPE_CHECKING:
    from adc.config.model.address import Address
    from adc.config.model.health import ActiveHealth, HealthExpect
    from adc.config.model.tls import MemberTls

Check = Callable[[], Awaitable[str | None]]
"""Does one check: None if the member passed, else why not. Never raises."""

MAX_REASON = 200


def build_check(
    address: Address,
    health: ActiveHealth,
    tls: MemberTls | None,
    proxy_protocol: str | None = None,
    alpn: tuple[str, ...] = (),
) -> Check:
    """Return the check of one member. Raises OSError or ValueError if a certificate file cannot be used.

    `proxy_protocol` is the version that the pool speaks to its members. As with HAProxy, a check on another port than
    that of the traffic sends no header. `alpn` are the protocols that a TLS handshake offers.
    """
    if health.udp is not None:
        port, probe = health.port or address.port, health.udp
        return _limited(
            UdpCheck(address.host, port, probe.send, probe.expect, health.time_limit / 2), health.time_limit
        )
    way = _Way(address, health, tls, proxy_protocol, alpn)
    if health.smtp:
        from adc.control.mail_check import MailCheck  # with its libraries, which other pools do not need

        name = health.host or socket.gethostname() or "localhost"
        return _limited(MailCheck(way.open, name, health.time_limit, way.starttls), health.time_limit)
    if health.path is None:
        return _limited(_Connect(way), health.time_limit)
    return _limited(_Ask(way, address, health), health.time_limit)


def _limited(check: Callable[[], Awaitable[str | None]], timeout: float) -> Check:
    async def limited() -> str | None:
        try:
            async with asyncio.timeout(timeout):
                return await check()
        except TimeoutError:
            return f"no answer within {timeout:g} s"
        except (OSError, MemberFailed, ValueError) as error:
            return _words(error)

    return limited


def _words(error: Exception) -> str:
    """Return the reason of the failure, in the words of the operating system or the TLS library."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, socket.gaierror):
        return "the name does not resolve"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error)[:MAX_REASON] or type(error).__name__


class _Way:
    """Parameters of a connection: address, TLS, and PROXY protocol header. `starttls` has context and server name of
    a member that begins TLS with STARTTLS."""

    def __init__(
        self,
        address: Address,
        health: ActiveHealth,
        tls: MemberTls | None,
        proxy_protocol: str | None,
        alpn: tuple[str, ...],
    ) -> None:
        self._host = address.host
        self.port = health.port or address.port
        self._path = address.path
        later = tls is not None and tls.starttls
        self._context = _context(tls, alpn) if (tls is not None and not later) or health.tls else None
        self.starttls = (
            (_context(tls, alpn), tls.sni or address.host or "localhost") if tls and later else None
        )
        self.default_port = 80 if self._context is None else 443
        self._name = tls.sni if tls is not None else None
        version = proxy_protocol if self.port == address.port else None
        self._preface = b"" if version is None else compose(version, None)

    async def open(self, protocol: asyncio.BaseProtocol) -> None:
        """Open a new connection for `protocol`, after a new look-up. Raises OSError."""
        dialer = Dialer(asyncio.get_running_loop(), self._host, self.port, self._path)
        dialer.secure(self._context, self._name)
        await dialer(lambda: protocol, self._preface)


class _Connect:
    """Connect, with TLS the handshake too, and hang up."""

    def __init__(self, way: _Way) -> None:
        self._way = way

    async def __call__(self) -> None:
        caller = _Caller()
        try:
            await self._way.open(caller)
        finally:
            if caller.transport is not None:
                caller.transport.abort()


class _Caller(asyncio.Protocol):
    transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport


class _Ask:
    """Send a request on a new connection and compare the response with the expected one."""

    def __init__(self, way: _Way, address: Address, health: ActiveHealth) -> None:
        host = f"[{address.host}]" if ":" in address.host else address.host or "localhost"
        authority = host if way.port in (0, way.default_port) else f"{host}:{way.port}"
        self._way = way
        self._request = check_request(
            health.method, health.path or "/", health.host or authority, health.headers
        )
        self._expected = _expectation(health.expect)

    async def __call__(self) -> str | None:
        loop = asyncio.get_running_loop()
        link = HttpLink(Batch(loop), Clock(), _never, max_idle=0)
        connection = ClientConnection(link)
        answer = Answer(loop, with_body=self._expected.reads_body)
        request = self._request
        try:
            await self._way.open(connection)
            connection.receiver = answer
            connection.send(request, request.target, request.headers.pairs, b"", True)
            response = await answer.here
        finally:
            connection.abort()
        return self._expected.failure(response.status, response.headers, bytes(answer.body))


async def _never(factory: object) -> None:
    """Reject every link: it would report the kind of failure without the operating system's message."""
    raise OSError("a check opens its connection itself")


def _expectation(expect: HealthExpect) -> Expectation:
    statuses = ",".join(f"{first}-{last}" if first != last else str(first) for first, last in expect.status)
    headers = {name.lower(): value for name, value in expect.headers.items()}
    return Expectation(statuses, body=expect.body, body_regex=expect.body_regex or "", headers=headers)


def _context(tls: MemberTls | None, alpn: tuple[str, ...]) -> ssl.SSLContext:
    """Return the TLS context of the pool's traffic; without one, the check only tests if the member speaks TLS."""
    return member_context(verify=False, alpn=alpn) if tls is None else context_of(tls, alpn)
