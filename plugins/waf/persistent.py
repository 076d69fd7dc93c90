"""Persistent collections (IP, GLOBAL, SESSION, ...) in a shared table."""

from __future__ import annotations

from hashlib import blake2b

from adc.plugin import Table

LONGEST = 1024
"""Bytes of an entry; a table takes no more."""


class TableCollections:
    """Keeps each collection as one entry. Workers that change one at the same time overwrite each other, as in other
    implementations of the rule language; a collection over 1 KB loses the values that were set last."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, collection: str, key: bytes) -> dict[bytes, bytes]:
        """Return what is stored, empty if nothing is."""
        entry = self._table.get(_key(collection, key))
        return {} if entry is None else _unpack(entry.value)

    def store(self, collection: str, key: bytes, values: dict[bytes, bytes], ttl: int) -> None:
        """Keep `values` for `ttl` seconds."""
        self._table.set(_key(collection, key), _pack(values), float(max(1, ttl)))


def _key(collection: str, key: bytes) -> bytes:
    return blake2b(b"%b\0%b" % (collection.encode(), key), digest_size=20).digest()


def _pack(values: dict[bytes, bytes]) -> bytes:
    packed = b""
    for name, value in values.items():
        item = b"%d:%b%d:%b" % (len(name), name, len(value), value)
        if len(packed) + len(item) <= LONGEST:
            packed += item
    return packed


def _unpack(packed: bytes) -> dict[bytes, bytes]:
    parts, at = [], 0
    while at < len(packed):
        colon = packed.index(b":", at)
        end = colon + 1 + int(packed[at:colon])
        parts.append(packed[colon + 1 : end])
        at = end
    return dict(zip(parts[::2], parts[1::2], strict=True))
