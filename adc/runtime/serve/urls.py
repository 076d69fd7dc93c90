"""URLs that operators name, as requests."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from adc.http.headers import Headers
from adc.http.message import Request
from adc.http.target import BadHost, BadTarget, parse_host, split_target
from adc.runtime.errors import BuildError


def request_of(url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Request:
    """Return the request that `url` stands for. Raises BuildError if it is not a whole http or https URL."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise BuildError(f"{url!r} is not a whole URL; write http://host/path")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query or url.endswith("?") else "")
        path, query, plain = split_target(target)
        host = parse_host(parts.netloc)
    except (ValueError, BadTarget, BadHost) as error:
        raise BuildError(f"{url!r} is not a URL that is served: {error}") from None
    lines = [(b"Host", parts.netloc.encode("latin-1", "replace"))]
    for name, value in (headers or {}).items():
        lines.append((name.encode("latin-1", "replace"), value.encode("latin-1", "replace")))
    proxy_fields = {name.lower(): value for name, value in lines}
    request = Request(
        method, target, path, query, parts.netloc, host, Headers(lines), proxy_fields, scheme=parts.scheme
    )
    request.plain = plain
    return request
