"""The HTTP client of plugins: what it is asked, what it returns, and its limits."""

from __future__ import annotations

import re
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from adc.http.headers import Headers, Pair

_METHOD = re.compile(r"[A-Z]{1,20}")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*")
_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """`timeout` in seconds for a whole request, `most` bytes of a response's content; `redirects` that are followed;
    `connections` at most, kept for reuse. `ca_file`: the authorities to trust instead of the machine's."""

    timeout: float = 5.0
    most: int = 1 << 20
    verify: bool = True
    ca_file: Path | None = None
    redirects: int = 0
    connections: int = 50


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A response: status, fields, whole content."""

    status: int
    headers: Headers
    content: bytes


class HttpFailed(Exception):
    """No response: the text names the host and says why; `timed_out` if it took too long. It has no part of the URL
    that may be secret."""

    def __init__(self, url: str, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(f"{_host(url)}: {reason}")
        self.timed_out = timed_out


class HttpClient(ABC):
    """A client whose connections are kept for reuse and closed with the plugin.

    It keeps no cookies, decodes no content (it asks for `identity`), follows no redirects unless asked, uses no proxy
    and no credentials from the environment.
    """

    async def request(
        self, method: str, url: str, headers: Iterable[Pair] = (), body: bytes = b""
    ) -> HttpReply:
        """Send a request and return the response. Raises HttpFailed if there is none within the limits, ValueError for
        a method, URL or field that cannot be sent."""
        pairs = list(headers)
        if not _METHOD.fullmatch(method):
            raise ValueError(f"{method!r:.40} is not a method such as GET")
        check_url(url)
        for name, value in pairs:
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ValueError(f"the field {name!r:.60} cannot be sent: its name or value is malformed")
        return await self._send(method, url, pairs, body)

    @abstractmethod
    async def _send(self, method: str, url: str, headers: list[Pair], body: bytes) -> HttpReply: ...

    @abstractmethod
    async def close(self) -> None:
        """Close the connections. Called by the host."""


class UnusableClient(HttpClient):
    """A client where nothing is sent, such as in `adc check`."""

    async def _send(self, method: str, url: str, headers: list[Pair], body: bytes) -> HttpReply:
        raise HttpFailed(url, "nothing is sent while a configuration is checked")

    async def close(self) -> None:
        """No-op: there are no connections."""


def check_url(url: str) -> None:
    """Raise ValueError unless `url` is absolute, of http or https, and has neither credentials nor a fragment."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises ValueError for a port that is none
    except ValueError:
        raise ValueError("the URL is malformed") from None
    if (
        parts.scheme not in _SCHEMES
        or not parts.hostname
        or not url.isascii()
        or not url.isprintable()
        or " " in url
    ):
        raise ValueError(f"{_host(url)!r:.80} is not the host of an absolute URL of http or https")
    if parts.username is not None or parts.fragment:
        raise ValueError(f"the URL at {_host(url)} has credentials or a fragment; allowed: neither")


def authorities(file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the authorities in `file`, or those of the machine. Raises ValueError."""
    try:
        return ssl.create_default_context(cafile=file)
    except OSError:
        raise ValueError(f"{file} is no file of certificate authorities in PEM form") from None


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "(no host)"
    except ValueError:
        return "(malformed URL)"
