"""Datagrams between nodes: a client's datagram on its way to the owner of its session, and a reply on its way back.

A frame is signed with the key of the cluster for one receiver, is valid for LIFE seconds, and is accepted once. Its
first byte is the slot of the receiver's socket (`adc.l4.udp.steering`). No I/O.
"""

from __future__ import annotations

import socket
import struct
from hashlib import blake2b
from hmac import compare_digest
from typing import Any, Final, NamedTuple

FORWARD: Final = 1
"""A datagram of a client, to the node that owns the session."""

REPLY: Final = 2
"""A datagram of a member, to the node that the client used."""

LIFE: Final = 10
"""Seconds for which a frame is valid; the clocks of nodes may differ by as much."""

WINDOW: Final = 4096
"""Frames of one sender that may overtake each other."""

MOST_SENDERS: Final = 4096
"""Workers of other nodes whose frames are told apart, each start of one for itself."""

NAME_BYTES: Final = 8
MAC_BYTES: Final = 16
VERSION: Final = 1

_HEAD: Final = struct.Struct("!BBBBIQQ8s")
_ADDRESS: Final = struct.Struct("!B16sHI")
_START: Final = _HEAD.size + MAC_BYTES


class Frame(NamedTuple):
    """A genuine frame. `sender` is the digest of the sending node's name, `slot` its worker's; `client` sent the
    datagram to `own`, or gets it from there."""

    kind: int
    sender: bytes
    slot: int
    listener: str
    client: Any
    own: Any
    data: bytes


def digest_of(node: str) -> bytes:
    """Return the digest that stands for the name of a node."""
    return blake2b(node.encode(), digest_size=NAME_BYTES).digest()


class Sealer:
    """Signs frames of the worker in `slot` of node `me`. `started` (wall-clock seconds) tells its frames from those
    that it sent before a restart."""

    def __init__(self, key: bytes, me: str, slot: int, started: float) -> None:
        self._key = key
        self._me = digest_of(me)
        self._slot = slot
        self._epoch = int(started * 1e6)
        self._counts: dict[tuple[bytes, int], int] = {}

    def seal(
        self,
        receiver: bytes,
        slot: int,
        kind: int,
        listener: str,
        client: Any,
        own: Any,
        data: bytes,
        wall: float,
    ) -> bytes:
        """Return the frame with a datagram for the worker in `slot` of the node with the digest `receiver`."""
        count = self._counts[receiver, slot] = self._counts.get((receiver, slot), 0) + 1
        head = _HEAD.pack(slot, kind, self._slot, VERSION, int(wall), self._epoch, count, self._me)
        name = listener.encode()
        body = b"".join((bytes((len(name),)), name, _packed(client), _packed(own), data))
        return b"".join((head, _mac(self._key, receiver, head, body), body))


class Opener:
    """Verifies the frames that arrive at node `me`."""

    def __init__(self, key: bytes, me: str) -> None:
        self._key = key
        self._me = digest_of(me)
        self._windows: dict[tuple[bytes, int, int], _Window] = {}

    def open(self, frame: bytes, wall: float) -> Frame | None:
        """Return what is in `frame`; None if it is forged, for another node, too old, or was received before."""
        if len(frame) < _START:
            return None
        head, mac, body = frame[: _HEAD.size], frame[_HEAD.size : _START], frame[_START:]
        _, kind, slot, version, seconds, epoch, count, sender = _HEAD.unpack(head)
        if version != VERSION or abs(wall - seconds) > LIFE:
            return None
        if not compare_digest(mac, _mac(self._key, self._me, head, body)):
            return None
        window = self._windows.get((sender, slot, epoch))
        if window is None:
            if len(self._windows) >= MOST_SENDERS:
                del self._windows[next(iter(self._windows))]
            window = self._windows[sender, slot, epoch] = _Window()
        if not window.accepts(count):
            return None
        return _read(kind, sender, slot, body)


class _Window:
    """The numbers that one sender has used since it started."""

    __slots__ = ("_seen", "_top")

    def __init__(self) -> None:
        self._top = 0
        self._seen = 0

    def accepts(self, count: int) -> bool:
        """Record a number; False if it was used before, or is older than the window."""
        if count > self._top:
            self._seen = (self._seen << min(count - self._top, WINDOW) | 1) & ((1 << WINDOW) - 1)
            self._top = count
            return True
        behind = self._top - count
        if behind >= WINDOW or self._seen >> behind & 1:
            return False
        self._seen |= 1 << behind
        return True


def _read(kind: int, sender: bytes, slot: int, body: bytes) -> Frame | None:
    end = 1 + body[0] if body else 0
    start = end + 2 * _ADDRESS.size
    if len(body) < start or not end:
        return None
    try:
        listener = body[1:end].decode()
    except UnicodeDecodeError:
        return None
    client, own = _unpacked(body, end), _unpacked(body, end + _ADDRESS.size)
    return Frame(kind, sender, slot, listener, client, own, body[start:])


def _mac(key: bytes, receiver: bytes, head: bytes, body: bytes) -> bytes:
    found = blake2b(receiver, key=key, digest_size=MAC_BYTES)
    found.update(head)
    found.update(body)
    return found.digest()


def _packed(address: Any) -> bytes:
    """Pack what `recvfrom` returns as an address."""
    if len(address) == 2:
        return _ADDRESS.pack(4, socket.inet_aton(address[0]) + bytes(12), address[1], 0)
    host = address[0].partition("%")[0]
    return _ADDRESS.pack(6, socket.inet_pton(socket.AF_INET6, host), address[1], address[3])


def _unpacked(body: bytes, at: int) -> Any:
    version, packed, port, scope = _ADDRESS.unpack_from(body, at)
    if version == 4:
        return (socket.inet_ntoa(packed[:4]), port)
    return (socket.inet_ntop(socket.AF_INET6, packed), port, 0, scope)
