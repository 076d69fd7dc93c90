"""Members by QUIC connection ids (RFC 8999, 9000 section 17), which stay when a client's address changes. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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


class LearnedIds:
    """Ids that members chose in long headers, and the first ids of clients: each with the address of its member.

    An id that an encrypted frame announces (NEW_CONNECTION_ID) cannot be learned. At most `size` ids are remembered;
    the oldest is forgotten first.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._members: dict[bytes, str] = {}
        self._lengths: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._members)

    def sent(self, data: bytes, member: str) -> None:
        """Learn from a datagram that opens a session with `member`."""
        self._learn(destination(data), member)

    def received(self, data: bytes, member: str) -> None:
        """Learn from a datagram of `member`."""
        self._learn(source(data), member)

    def find(self, data: bytes) -> str | None:
        """Return the address of the member to which a client's datagram belongs; None if its id is unknown."""
        if not data:
            return None
        if data[0] & LONG_HEADER:
            return self._members.get(destination(data))
        for length in self._lengths:
            found = self._members.get(data[1 : 1 + length])
            if found is not None:
                return found
        return None

    def _learn(self, name: bytes, member: str) -> None:
        if len(name) < LEAST:
            return
        if self._members.pop(name, None) is None:
            while len(self._members) >= self.size:
                self._forget(next(iter(self._members)))
            self._lengths[len(name)] = self._lengths.get(len(name), 0) + 1
        self._members[name] = member

    def _forget(self, name: bytes) -> None:
        del self._members[name]
        left = self._lengths[len(name)] - 1
        if left:
            self._lengths[len(name)] = left
        else:
            del self._lengths[len(name)]


class ServerIds:
    """Ids that hold bytes of their member at `offset`, as QUIC-LB describes them without encryption."""

    def __init__(self, members: Mapping[bytes, str], offset: int) -> None:
        self._members = dict(members)
        self._first = offset
        self._end = offset + max([len(name) for name in self._members], default=0)

    def sent(self, data: bytes, member: str) -> None:
        """No-op: the ids say it themselves."""

    def received(self, data: bytes, member: str) -> None:
        """No-op: the ids say it themselves."""

    def find(self, data: bytes) -> str | None:
        """Return the address of the member to which a client's datagram belongs; None if its id names none."""
        name = destination(data) if data and data[0] & LONG_HEADER else data[1 : 1 + MOST]
        return self._members.get(name[self._first : self._end])


ConnectionIds = LearnedIds | ServerIds
