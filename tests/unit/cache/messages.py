"""Requests, responses and stored entries for the tests of the cache, in one line each."""

from __future__ import annotations

from adc.cache.entry import Entry
from adc.cache.keys import primary_key
from adc.cache.options import CacheOptions
from adc.cache.storable import Pass, Store, store
from adc.http.dates import http_date
from adc.http.headers import Headers
from adc.http.message import Request, Response

NOW = 1_800_000_000.0
OPTIONS = CacheOptions()


def lines(fields: tuple[str, ...]) -> Headers:
    """`"Name: value"` texts as a header block."""
    pairs = (field.partition(":") for field in fields)
    return Headers((name.encode(), value.strip(" ").encode("latin-1")) for name, _, value in pairs)


def request(
    *fields: str,
    target: str = "/a",
    method: str = "GET",
    authority: str = "example.com",
    body_length: int = 0,
) -> Request:
    path, _, query = target.partition("?")
    host = authority.partition(":")[0]
    return Request(method, target, path, query, authority, host, lines(fields), body_length=body_length)


def response(*fields: str, status: int = 200, length: int = 5) -> Response:
    return Response(status, lines(fields), b"", length)


def date(offset: float = 0) -> str:
    """The HTTP-date `offset` seconds from NOW."""
    return http_date(NOW + offset).decode()


def decide(
    asked: Request, answer: Response, options: CacheOptions = OPTIONS, trusted: bool = False
) -> Store | Pass:
    """`store` for a response that took no time and arrived at NOW."""
    key = primary_key(asked, options.key)
    return store(key, asked, answer, NOW, NOW, options, peer_trusted=trusted)


def stored(
    *fields: str,
    asked: Request | None = None,
    status: int = 200,
    body: bytes = b"hello",
    options: CacheOptions = OPTIONS,
) -> Entry:
    """The entry that a response with `fields` to `asked` leaves at NOW."""
    decision = decide(asked or request(), response(*fields, status=status, length=len(body)), options)
    assert isinstance(decision, Store), decision
    return decision.entry.filled(body, len(body))
