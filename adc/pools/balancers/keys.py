"""The part of a request that a hash balancer uses."""

from __future__ import annotations

from collections.abc import Callable

from adc.http.client import Flow
from adc.http.cookies import parse_cookies
from adc.http.message import Request
from adc.http.query import parse_query

Key = Callable[[Flow], bytes]


def compile_key(text: str, requests: bool = True) -> Key:
    """Return the function that takes the key described by `text` from a flow: `source`, or of an HTTP request `path`,
    `header:NAME`, `cookie:NAME` or `query:NAME`. `requests`: the flows are HTTP requests.

    A request without that header, cookie or parameter (or with an empty one) is hashed by its client's
    address: it stays with one member, and such requests do not all meet on the same one. Raises ValueError
    for any other text, and for a key of requests where there are none.
    """
    kind, _, name = text.partition(":")
    if text == "source":
        return source
    if not requests:
        raise ValueError(f"key {text!r} is part of an HTTP request; use source")
    if text == "path":
        return path
    if kind not in _NAMED or not name:
        raise ValueError(f"unknown key {text!r}; use source, path, header:NAME, cookie:NAME or query:NAME")
    return _NAMED[kind](name)


def source(flow: Flow) -> bytes:
    """Return the client's address."""
    return flow.source.encode()


def path(flow: Flow) -> bytes:
    """Return the normalised path."""
    return flow.path.encode() if isinstance(flow, Request) else source(flow)


def _header(name: str) -> Key:
    field = name.lower().encode()

    def key(flow: Flow) -> bytes:
        value = flow.headers.get(field) if isinstance(flow, Request) else None
        return value or source(flow)

    return key


def _cookie(name: str) -> Key:
    def key(flow: Flow) -> bytes:
        value = parse_cookies(flow.headers).get(name) if isinstance(flow, Request) else None
        return value.encode() if value else source(flow)

    return key


def _query(name: str) -> Key:
    def key(flow: Flow) -> bytes:
        values = parse_query(flow.query).get(name) if isinstance(flow, Request) else None
        return values[0].encode() if values and values[0] else source(flow)

    return key


_NAMED: dict[str, Callable[[str], Key]] = {"header": _header, "cookie": _cookie, "query": _query}
