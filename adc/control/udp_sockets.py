"""Sockets of UDP addresses: one for each worker, in one SO_REUSEPORT group.

The kernel spreads datagrams over the sockets of a group by a hash of both addresses, so a client's datagrams always
reach the same socket as long as the group stays as it is. That is why the supervisor binds all slots of an address in
their order, and keeps them over reloads, deaths of workers, upgrades, and a smaller number of workers.
"""

from __future__ import annotations

import socket
from collections.abc import Container, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from adc.net.socket_address import socket_address

if TYPE_CHECKING:
    from adc.control.addresses import Address

RECEIVE_BUFFER = 4 << 20
"""Bytes of datagrams that the kernel may queue for a socket; without privileges it is capped at net.core.rmem_max."""

IP_PKTINFO = 8
"""`IP_PKTINFO` of linux/in.h, which the module `socket` of Python 3.11 does not name."""

_SO_RCVBUFFORCE = 33


def slots_of(address: Address, workers: int) -> tuple[Address, ...]:
    """Return the addresses of the sockets that `workers` workers need for a UDP address."""
    return tuple(replace(address, slot=slot) for slot in range(max(1, workers)))


def with_kept(wanted: Iterable[Address], known: Container[str]) -> list[Address]:
    """Return `wanted` with the further slots that are open already, whose keys are in `known`.

    A slot is never closed while its address is listened on: the hash of the group would change.
    """
    found: list[Address] = []
    last: dict[str, Address] = {}
    for address in wanted:
        found.append(address)
        if address.kind == "udp":
            last[replace(address, slot=0).key] = address
    for address in last.values():
        slot = address.slot + 1
        while replace(address, slot=slot).key in known:
            found.append(replace(address, slot=slot))
            slot += 1
    return found


def is_served(key: str, worker_id: int, workers: int) -> bool:
    """True if the worker gets the socket `key`: a UDP socket has one reader, whatever the number of workers."""
    kind, _, rest = key.partition(":")
    if kind != "udp":
        return True
    slot = rest.partition("#")[2]
    return int(slot or 0) % max(1, workers) == worker_id


def bind_udp(address: Address, first: socket.socket | None) -> socket.socket:
    """Return the bound socket of a slot; `first` is that of slot 0, None for itself. Raises OSError.

    Slot 0 is bound without SO_REUSEPORT, so that an address that another process has is not shared with it by chance.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if first is None:
            sock.bind(socket_address(address.host, address.port))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(first.getsockname())
        prepare_udp(sock)
    except OSError:
        sock.close()
        raise
    return sock


def prepare_udp(sock: socket.socket) -> None:
    """Enable the destination address of each datagram, and a receive buffer for bursts. Raises OSError."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    sock.setblocking(False)


def join_group(sock: socket.socket) -> None:
    """Prepare a UDP socket that another program bound, so that more slots can be bound beside it. Raises OSError."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    prepare_udp(sock)
