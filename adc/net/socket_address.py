"""Addresses as sockets take them."""

from __future__ import annotations

import socket
from typing import Any

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


def socket_address(host: str, port: int) -> SocketAddress:
    """Return the address of a socket for a literal host. A link-local one names its interface (RFC 4007 section 11):
    `fe80::1%eth0`. Raises OSError if there is no such interface."""
    name, _, zone = host.partition("%")
    if not zone:
        return host, port
    return name, port, 0, int(zone) if zone.isdecimal() else socket.if_nametoindex(zone)


def literal_host(address: tuple[Any, ...]) -> str:
    """Return the host of the address of a socket, with the interface of a link-local one."""
    host, scope = str(address[0]), address[3] if len(address) == 4 else 0
    if not scope or "%" in host:
        return host
    try:
        return f"{host}%{socket.if_indextoname(scope)}"
    except OSError:  # the interface is gone
        return f"{host}%{scope}"
