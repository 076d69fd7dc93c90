"""Requests of clients and responses of members, made up for a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adc.http.client import Client
from adc.http.headers import Headers
from adc.http.message import UNKNOWN_LENGTH, Request
from adc.http.message import Response as Head

Content = bytes | Sequence[bytes]
"""Content in one chunk, or its chunks."""

Fields = Mapping[str, str] | Sequence[tuple[str, str]]


def request(
    method: str = "GET",
    target: str = "/",
    headers: Fields = (),
    *,
    host: str = "www.example.com",
    client: str = "192.0.2.1",
    body_length: int = UNKNOWN_LENGTH,
) -> Request:
    """Return a request head as a client might send it."""
    path, _, query = target.partition("?")
    fields = Headers([(b"Host", host.encode()), *_pairs(headers)])
    made = Request(method, target, path, query, host, host, fields, None, body_length, client=Client(client))
    made.received_lines = tuple(fields.pairs)
    return made


def answer(status: int = 200, headers: Fields = (), body: Content = b"") -> tuple[Head, Content]:
    """Return a response as a member might send it: of known length, or in chunks."""
    length = len(body) if isinstance(body, bytes) else UNKNOWN_LENGTH
    return Head(status, Headers(_pairs(headers)), b"", length), body


def _pairs(fields: Fields) -> list[tuple[bytes, bytes]]:
    items = fields.items() if isinstance(fields, Mapping) else fields
    return [(name.encode(), value.encode("latin-1")) for name, value in items]
