"""Members by QUIC connection ids (RFC 8999, 9000 section 17), which stay when a client's address changes. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

from adc.l4.udp.id_memory import IdMemory

LONG_HEADER: Final = 0x80
MOST: Final = 20
"""Bytes of the longest connection id of QUIC versions 1 and 2."""

LEAST: Final = 4
"""Shorter ids are not learned: unrelated datagrams would have them by chance."""


def destination(data: bytes) -> bytes:
    """Return the destination connection id of a long header; empty if `data` has none."""
    if len(data) < 7 or not data[0] & LONG_HEADER or data[5] > MOST:
        return b""
    found = data[6 : 6 + data[5]]
    return found if len(found) == data[5] else b""


def source(data: bytes) -> bytes:
    """Return the source connection id of a long header, which its receiver sends to from now on; empty if none."""
    if len(data) < 7 or not data[0] & LONG_HEADER or data[5] > MOST:
        return b""
    start = 7 + data[5]
    if len(data) < start or data[start - 1] > MOST:
        return b""
    found = data[start : start + data[start - 1]]
    return found if len(found) == data[start - 1] else b""


UNCONFIRMED_AGE: Final = 3600.0
"""Seconds that an id of a client, which may be spoofed, counts as older than one of a member: it makes room first."""


class LearnedIds:
    """Ids that members chose in long headers, and the first ids of clients: each with the address of its member.

    An id that an encrypted frame announces (NEW_CONNECTION_ID) cannot be learned. Workers share the ids in `memory`:
    the kernel chooses the worker by the client's address, which is what changes.
    """

    def __init__(self, listener: str, memory: IdMemory) -> None:
        self._prefix = f"{listener}\0".encode()
        self._memory = memory
        self._members: dict[int, str] = {}

    def follow(self, members: Iterable[str]) -> None:
        """Lead to members with these addresses from now on."""
        self._members = {_number(member): member for member in members}

    def sent(self, data: bytes, member: str, now: float) -> None:
        """Learn from a datagram that opens a session with `member` at `now` (monotonic seconds)."""
        self._learn(destination(data), member, now - UNCONFIRMED_AGE)

    def received(self, data: bytes, member: str, now: float) -> None:
        """Learn from a datagram of `member`."""
        name = source(data)
        if self._learn(name, member, now):
            self._memory.chosen(len(name))

    def find(self, data: bytes) -> str | None:
        """Return the address of the member to which a client's datagram belongs; None if its id is unknown."""
        if not data:
            return None
        if data[0] & LONG_HEADER:
            return self._of(destination(data))
        for length in self._memory.lengths():
            found = self._of(data[1 : 1 + length])
            if found is not None:
                return found
        return None

    def _of(self, name: bytes) -> str | None:
        number = self._memory.get(self._prefix + name)
        return None if number is None else self._members.get(number)

    def _learn(self, name: bytes, member: str, now: float) -> bool:
        """Remember an id; False if it is too short."""
        if len(name) < LEAST:
            return False
        self._memory.put(self._prefix + name, _number(member), now)
        return True


def _number(member: str) -> int:
    return int.from_bytes(blake2b(member.encode(), digest_size=4).digest(), "little")


class ServerIds:
    """Ids that hold bytes of their member at `offset`, as QUIC-LB describes them without encryption."""

    def __init__(self, members: Mapping[bytes, str], offset: int) -> None:
        self._members = dict(members)
        self._first = offset
        self._end = offset + max([len(name) for name in self._members], default=0)

    def sent(self, data: bytes, member: str, now: float) -> None:
        """No-op: the ids say it themselves."""

    def received(self, data: bytes, member: str, now: float) -> None:
        """No-op: the ids say it themselves."""

    def find(self, data: bytes) -> str | None:
        """Return the address of the member to which a client's datagram belongs; None if its id names none."""
        name = destination(data) if data and data[0] & LONG_HEADER else data[1 : 1 + MOST]
        return self._members.get(name[self._first : self._end])


ConnectionIds = LearnedIds | ServerIds
