"""The part of a request that a hash balancer uses."""

from __future__ import annotations

from collections.abc import Callable

from adc.http.cookies import parse_cookies
from adc.http.message import Request
from adc.http.query import parse_query

Key = Callable[[Request], bytes]


def compile_key(text: str) -> Key:
    """Return the function that takes the key described by `text` from a request: `source`, `path`, `header:NAME`,
    `cookie:NAME` or `query:NAME`.

    A request without that header, cookie or parameter (or with an empty one) is hashed by its client's
    address: it stays with one member, and such requests do not all meet on the same one. Raises ValueError
    for any other text.
    """
    kind, _, name = text.partition(":")
    if text == "source":
        return source
    if text == "path":
        return path
    if kind not in _NAMED or not name:
        raise ValueError(f"unknown key {text!r}; use source, path, header:NAME, cookie:NAME or query:NAME")
    return _NAMED[kind](name)


def source(request: Request) -> bytes:
    """Return the client's address."""
    return request.source.encode()


def path(request: Request) -> bytes:
    """Return the normalised path."""
    return request.path.encode()


def _header(name: str) -> Key:
    field = name.lower().encode()

    def key(request: Request) -> bytes:
        return request.headers.get(field) or source(request)

    return key


def _cookie(name: str) -> Key:
    def key(request: Request) -> bytes:
        value = parse_cookies(request.headers).get(name)
        return value.encode() if value else source(request)

    return key


def _query(name: str) -> Key:
    def key(request: Request) -> bytes:
        values = parse_query(request.query).get(name)
        return values[0].encode() if values and values[0] else source(request)

    return key


_NAMED: dict[str, Callable[[str], Key]] = {"header": _header, "cookie": _cookie, "query": _query}
