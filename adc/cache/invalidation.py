"""Which URLs a response to an unsafe method makes outdated (RFC 9111 section 4.4)."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from adc.cache.keys import KeyRules, url_key
from adc.http.message import Request, Response
from adc.http.target import BadTarget, split_target

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY", "PRI"})
"""Safe methods of the HTTP method registry; every other one, unknown ones too, may change the target."""


def invalidates(request: Request, response: Response) -> bool:
    """Whether `response` shows that `request` may have changed something."""
    return request.method not in SAFE_METHODS and 200 <= response.status < 400


def invalidated_urls(request: Request, response: Response, rules: KeyRules) -> list[bytes]:
    """URL parts of the keys to invalidate: the target, and Location and Content-Location on the same origin.

    A URI on another origin is left alone, so that one site cannot empty another's cache.
    """
    if not invalidates(request, response):
        return []
    query = request.query if "?" in request.target else None
    urls = [url_key(request.scheme, request.authority, request.path, query, rules)]
    base = f"{request.scheme}://{request.authority}{request.target}"
    for name in (b"location", b"content-location"):
        for value in response.headers.get_all(name):
            url = _same_origin(base, value.decode("latin-1"), request, rules)
            if url is not None and url not in urls:
                urls.append(url)
    return urls


def _same_origin(base: str, reference: str, request: Request, rules: KeyRules) -> bytes | None:
    try:
        parts = urlsplit(urljoin(base, reference))
        target = split_target((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    except (ValueError, BadTarget):
        return None
    there = url_key(parts.scheme, parts.netloc, "/", None, KeyRules())
    if there != url_key(request.scheme, request.authority, "/", None, KeyRules()):
        return None
    return url_key(parts.scheme, parts.netloc, target.path, target.query or None, rules)
