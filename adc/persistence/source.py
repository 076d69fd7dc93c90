"""Clients identified by the network of their address."""

from __future__ import annotations

import socket
from functools import lru_cache

from adc.http.client import Flow
from adc.persistence.table import KeyOf

_REMEMBERED = 4096
"""Number of clients whose key is cached."""

_MAPPED = b"\0" * 10 + b"\xff\xff"


def source_key(prefix4: int = 32, prefix6: int = 64) -> KeyOf[Flow]:
    """Return the first `prefix4` (IPv4) or `prefix6` (IPv6) bits of the client's address, as `192.0.2.0/24`; a
    full-length prefix is left out. An IPv4 address mapped into IPv6 counts as IPv4. None if the address is
    none."""

    @lru_cache(maxsize=_REMEMBERED)
    def network(client: str) -> bytes | None:
        if ":" not in client:
            return _network4(client, prefix4)
        try:
            packed = socket.inet_pton(socket.AF_INET6, client.partition("%")[0])
        except (OSError, ValueError):
            return None
        if packed.startswith(_MAPPED):
            return _network4(socket.inet_ntoa(packed[12:]), prefix4)
        return _shown(socket.AF_INET6, packed, prefix6)

    def key(flow: Flow) -> bytes | None:
        return network(flow.source)

    return key


def _network4(client: str, prefix: int) -> bytes | None:
    try:
        packed = socket.inet_pton(socket.AF_INET, client)
    except (OSError, ValueError):
        return None
    return client.encode("ascii") if prefix == 32 else _shown(socket.AF_INET, packed, prefix)


def _shown(family: socket.AddressFamily, packed: bytes, prefix: int) -> bytes:
    bits = len(packed) * 8
    masked = int.from_bytes(packed, "big") >> (bits - prefix) << (bits - prefix)
    network = socket.inet_ntop(family, masked.to_bytes(len(packed), "big"))
    return (network if prefix == bits else f"{network}/{prefix}").encode("ascii")
