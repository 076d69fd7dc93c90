"""From where to where a client connected, as a member is told in a PROXY protocol header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adc.http.networks import parse_address
from adc.net.proxy_protocol import Endpoint, Endpoints

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange


def client_endpoints(exchange: Exchange) -> Endpoints | None:
    """Both ends, None for a client at a unix socket. A client whom a trusted proxy named has the port 0."""
    request, connection = exchange.request, exchange.stream.client
    source, target = _endpoint(connection.address), _endpoint(connection.own_address)
    if source is None or target is None:
        return None
    if request.source != request.client.peer:
        client = parse_address(request.source)
        source = source if client is None else (str(client), 0)
    return source, target


def _endpoint(address: Any) -> Endpoint | None:
    if not isinstance(address, tuple):
        return None
    parsed = parse_address(address[0])
    return None if parsed is None else (str(parsed), address[1])
