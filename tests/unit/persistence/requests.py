"""Requests for persistence tests."""

from adc.http.client import Client
from adc.http.headers import Headers
from adc.http.message import Request

NOW = 1_700_000_000.0


def request(
    target: str = "/", *, cookie: str = "", client: str = "192.0.2.7", scheme: str = "http", **fields: str
) -> Request:
    pairs = [(b"Host", b"example.com")]
    if cookie:
        pairs.append((b"Cookie", cookie.encode()))
    pairs += [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in fields.items()]
    path, _, query = target.partition("?")
    return Request(
        "GET",
        target,
        path,
        query,
        "example.com",
        "example.com",
        Headers(pairs),
        client=Client(client, scheme, "www.Example.com"),
        scheme=scheme,
    )
