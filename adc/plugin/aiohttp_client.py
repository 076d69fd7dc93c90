"""The HTTP client of plugins on aiohttp's, which is imported here only."""

from __future__ import annotations

import ssl

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    TooManyRedirects,
)

from adc.http.headers import Headers, Pair
from adc.plugin.http_client import HttpClient, HttpFailed, HttpLimits, HttpReply, authorities

_ACCEPTED = b"accept-encoding"
_OWN_FIELDS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_KEPT_ALIVE = 30.0


class AiohttpClient(HttpClient):
    """Connects at the first request. Raises OSError or ValueError for a file of authorities that cannot be read."""

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._session: ClientSession | None = None
        self._tls = _context(limits)

    async def _send(self, method: str, url: str, headers: list[Pair], body: bytes) -> HttpReply:
        fields = [(name.decode("ascii"), _text(value)) for name, value in headers]
        if not any(name.lower() == _ACCEPTED for name, _ in headers):
            fields.append(("Accept-Encoding", "identity"))
        session = self._open()
        redirects = self._limits.redirects
        try:
            async with session.request(
                method,
                url,
                headers=fields,
                data=body or None,
                allow_redirects=redirects > 0,
                max_redirects=redirects,
            ) as response:
                return HttpReply(response.status, Headers(response.raw_headers), await self._read(response))
        except TooManyRedirects:
            raise HttpFailed(url, f"more than {redirects} redirects") from None
        except TimeoutError:
            reason = f"no complete response within {self._limits.timeout:g} s"
            raise HttpFailed(url, reason, timed_out=True) from None
        except _TooLarge:
            raise HttpFailed(url, f"the content exceeds {self._limits.most} bytes") from None
        except (ClientError, OSError, ValueError) as error:
            raise HttpFailed(url, _reason(error)) from None

    async def _read(self, response: ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > self._limits.most:
                response.close()
                raise _TooLarge
        return bytes(content)

    def _open(self) -> ClientSession:
        session = self._session
        if session is None:
            limits = self._limits
            session = self._session = ClientSession(
                connector=TCPConnector(
                    ssl=self._tls, limit=limits.connections, keepalive_timeout=_KEPT_ALIVE
                ),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=limits.timeout),
                skip_auto_headers=_OWN_FIELDS,
                auto_decompress=False,
                trust_env=False,
            )
        return session

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class _TooLarge(Exception):
    """The content exceeds the limit."""


def _context(limits: HttpLimits) -> ssl.SSLContext:
    context = authorities(limits.ca_file)
    if not limits.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _text(value: bytes) -> str:
    """Return a field value as aiohttp takes it, which sends text as UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _reason(error: Exception) -> str:
    """Return what went wrong, without a URL: texts of some errors have it."""
    system = getattr(error, "os_error", error)
    if isinstance(system, OSError) and system.strerror:
        return f"{type(error).__name__}: {system.strerror}"
    return type(error).__name__
