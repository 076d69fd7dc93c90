"""URLs whose stored responses a response to an unsafe method invalidates (RFC 9111 section 4.4)."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from adc.cache.keys import KeyRules, url_key
from adc.http.message import Request, Response
from adc.http.methods import SAFE
from adc.http.target import BadTarget, split_target


def invalidates(request: Request, response: Response) -> bool:
    """True if `response` shows that `request` may have changed something; every method that is not registered may."""
    return request.method not in SAFE and 200 <= response.status < 400


def invalidated_urls(request: Request, response: Response, rules: KeyRules) -> list[bytes]:
    """Return the URL parts of the keys to invalidate: the target, and Location and Content-Location on the same origin.

    A URI on another origin is left alone, so that one site cannot empty another's cache.
    """
    if not invalidates(request, response):
        return []
    query = request.query if "?" in request.target else None
    urls = [url_key(request.scheme, request.authority, request.sent_path, query, rules)]
    base = f"{request.scheme}://{request.authority}{request.target}"
    for name in (b"location", b"content-location"):
        for value in response.headers.get_all(name):
            urls += _same_origin(base, value.decode("latin-1"), request, rules)
    return list(dict.fromkeys(urls))


def _same_origin(base: str, reference: str, request: Request, rules: KeyRules) -> list[bytes]:
    """Return the URL as written and in normal form: a member may have received either."""
    try:
        parts = urlsplit(urljoin(base, reference))
        path = parts.path or "/"
        normal = split_target(path + (f"?{parts.query}" if parts.query else "")).path
    except (ValueError, BadTarget):
        return []
    there = url_key(parts.scheme, parts.netloc, "/", None, KeyRules())
    if there != url_key(request.scheme, request.authority, "/", None, KeyRules()):
        return []
    return [url_key(parts.scheme, parts.netloc, form, parts.query or None, rules) for form in (path, normal)]
