"""Changes on their way to Redis and to the other nodes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

ChangeKind = Literal["put", "touch", "drop", "count"]

_KINDS: tuple[ChangeKind, ...] = ("put", "touch", "drop", "count")
_HEAD = struct.Struct(">BHHHd")


class Write(NamedTuple):
    """One change of one entry. `expires` is wall-clock; `amount` is for counters."""

    kind: ChangeKind
    table: str
    key: bytes
    value: bytes = b""
    expires: float = 0.0
    amount: int = 0


class WriteQueue:
    """Changes not sent yet, at most one an entry, at most `limit` of them: beyond that the oldest go, which
    `lost` counts."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.lost = 0
        self._writes: dict[tuple[str, bytes], Write] = {}

    def __len__(self) -> int:
        return len(self._writes)

    def add(self, write: Write) -> None:
        """Queue `write`, merged with a waiting one for the same entry."""
        name = (write.table, write.key)
        waiting = self._writes.pop(name, None)
        self._writes[name] = write if waiting is None else _combined(waiting, write)
        if len(self._writes) > self.limit:
            del self._writes[next(iter(self._writes))]
            self.lost += 1

    def take(self, count: int) -> list[Write]:
        """Remove and return the `count` oldest changes."""
        names = [name for name, _ in zip(self._writes, range(count), strict=False)]
        return [self._writes.pop(name) for name in names]

    def put_back(self, writes: Iterable[Write]) -> None:
        """Queue changes again whose sending failed, unless newer ones wait. Counts are dropped: they may have
        arrived."""
        for write in writes:
            if write.kind != "count":
                self._writes.setdefault((write.table, write.key), write)

    def counting(self, table: str, key: bytes) -> int:
        """Return the amount that waits to be added to a counter."""
        waiting = self._writes.get((table, key))
        return waiting.amount if waiting is not None else 0


def _combined(waiting: Write, write: Write) -> Write:
    if write.kind == "count" and waiting.kind == "count":
        return waiting._replace(value=write.value, amount=waiting.amount + write.amount)
    if write.kind == "count":  # counting goes on from a value that was just put or dropped: put the total
        return write._replace(kind="put", amount=0)
    if write.kind == "touch" and waiting.kind != "touch":
        return waiting._replace(expires=write.expires) if waiting.kind == "put" else waiting
    return write


def encode_writes(writes: Iterable[Write], now: float) -> bytes:
    """Return the message for other nodes. Expiries travel as remaining time, because clocks differ."""
    parts = []
    for write in writes:
        table = write.table.encode()
        head = _HEAD.pack(
            _KINDS.index(write.kind), len(table), len(write.key), len(write.value), write.expires - now
        )
        parts += [head, table, write.key, write.value]
    return b"".join(parts)


def decode_writes(message: bytes, now: float) -> Iterator[Write]:
    """Yield the changes in a message. Raises ValueError for a message that is none (struct.error is made one)."""
    at = 0
    while at < len(message):
        if len(message) - at < _HEAD.size:
            raise ValueError("a change is incomplete")
        kind, table_size, key_size, value_size, left = _HEAD.unpack_from(message, at)
        at += _HEAD.size
        end = at + table_size + key_size + value_size
        if end > len(message) or kind >= len(_KINDS):
            raise ValueError("a change is incomplete or of an unknown kind")
        table = message[at : at + table_size].decode()
        key = message[at + table_size : at + table_size + key_size]
        yield Write(_KINDS[kind], table, key, message[at + table_size + key_size : end], now + left)
        at = end
