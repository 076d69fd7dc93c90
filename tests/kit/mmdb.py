"""Writes small databases in MaxMind's format (MaxMind DB File Format Specification 2.0)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

_SEPARATOR = 16
_MARKER = b"\xab\xcd\xefMaxMind.com"


def write_database(path: Path, records: Mapping[str, Any]) -> None:
    """Write records by network; the database has IPv6 and IPv4 addresses."""
    tree: list[list[Any]] = [[None, None]]
    data = bytearray()
    for text, record in records.items():
        network = ip_network(text)
        bits = 128 - network.max_prefixlen + network.prefixlen  # IPv4 is ::/96
        _insert(tree, int(network.network_address), bits, len(data))
        data += _encoded(record)
    count = len(tree)
    nodes = b"".join(_pointer(child, count).to_bytes(4, "big") for node in tree for child in node)
    about = {
        "node_count": count,
        "record_size": 32,
        "ip_version": 6,
        "database_type": "Test",
        "languages": [],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 0,
        "description": {},
    }
    path.write_bytes(nodes + bytes(_SEPARATOR) + bytes(data) + _MARKER + _encoded(about))


def _insert(tree: list[list[Any]], number: int, bits: int, offset: int) -> None:
    node = 0
    for place in range(bits):
        side = number >> (127 - place) & 1
        if place == bits - 1:
            tree[node][side] = ("data", offset)
        elif tree[node][side] is None:
            tree.append([None, None])
            tree[node][side] = len(tree) - 1
            node = len(tree) - 1
        else:
            node = tree[node][side]


def _pointer(child: Any, count: int) -> int:
    if child is None:
        return count
    return count + _SEPARATOR + child[1] if isinstance(child, tuple) else child


def _encoded(value: Any) -> bytes:
    if isinstance(value, Mapping):
        return _head(7, len(value)) + b"".join(_encoded(key) + _encoded(item) for key, item in value.items())
    if isinstance(value, list):
        return _head(11, len(value)) + b"".join(map(_encoded, value))
    if isinstance(value, int):
        return _head(6, 4) + struct.pack(">I", value)
    text = value.encode()
    return _head(2, len(text)) + text


def _head(kind: int, size: int) -> bytes:
    large = b"" if size < 29 else bytes([size - 29])
    first = min(size, 29)
    return (bytes([kind << 5 | first]) if kind < 8 else bytes([first, kind - 7])) + large
