"""The facts of a request and a response as the rules read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adc_plugins.waf.collect.facts import RequestFacts

from adc.plugin import Context, Request, ResponseHead

Pair = tuple[bytes, bytes]


def request_facts(context: Context, now: float) -> RequestFacts:
    """Return the head as received. The client's port is known only if no trusted proxy named the client."""
    request = context.request
    client = request.client
    server_address, server_port = _address(client.own_address)
    client_port = _address(client.address)[1] if context.client == client.peer else 0
    return RequestFacts(
        request.method.encode("latin-1", "replace"),
        request.received_target.encode("utf-8", "surrogateescape"),
        f"HTTP/{request.version}".encode(),
        _lines(request),
        context.client.encode(),
        client_port,
        server_address.encode(),
        server_port,
        context.request_id.encode(),
        now,
    )


def response_lines(response: ResponseHead) -> list[Pair]:
    """Return the field lines of a response, with its length."""
    lines = list(response.headers.pairs)
    if response.body_length >= 0:
        lines.append((b"Content-Length", b"%d" % response.body_length))
    return lines


def joined(lines: Sequence[Pair], name: bytes) -> bytes:
    """Return all values of the field `name` (lower-case) as one list."""
    return b", ".join([value for other, value in lines if other.lower() == name])


def _lines(request: Request) -> Sequence[Pair]:
    return request.received_lines or request.headers.pairs


def _address(address: Any) -> tuple[str, int]:
    """Return host and port of a socket's address; a unix socket has a path."""
    if isinstance(address, tuple):
        return str(address[0]), int(address[1])
    return str(address or ""), 0
