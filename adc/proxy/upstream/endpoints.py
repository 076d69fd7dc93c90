"""Both ends of a client's connection, for the PROXY protocol header that a member receives."""

from __future__ import annotations

from typing import Any

from adc.http.client import Client
from adc.http.networks import parse_address
from adc.net.proxy_protocol import Endpoint, Endpoints


def client_endpoints(connection: Client, source: str, peer: str) -> Endpoints | None:
    """Return both ends of `connection`, None for a client at a unix socket. If trusted proxies named a client `source`
    other than `peer`, it has the port 0."""
    first, second = _endpoint(connection.address), _endpoint(connection.own_address)
    if first is None or second is None:
        return None
    if source != peer:
        client = parse_address(source)
        first = first if client is None else (str(client), 0)
    return first, second


def _endpoint(address: Any) -> Endpoint | None:
    if not isinstance(address, tuple):
        return None
    parsed = parse_address(address[0])
    return None if parsed is None else (str(parsed), address[1])
