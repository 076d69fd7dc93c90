"""The datagram channel between nodes: frames out to other nodes, and in to the relay of their listener."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, Protocol

from adc.l4.udp.frames import FORWARD, REPLY, Frame, Opener, Sealer, digest_of
from adc.l4.udp.node_addresses import NodeAddresses

_BATCH: Final = 64
_DATAGRAM: Final = 65_536


class Node(NamedTuple):
    """A worker of another node: the digest of the node's name, the address that it advertises, and the worker's slot.

    `source` is the socket address that its frame came from, for a node whose advertised address ("") is unknown.
    """

    digest: bytes
    address: str
    slot: int
    source: Any = None


class Receiver(Protocol):
    """What the relay of a listener does with frames."""

    def forwarded(self, sender: Node, client: Any, own: Any, data: bytes) -> None:
        """Handle a datagram of a client that came by another node."""

    def replied(self, client: Any, own: Any, data: bytes) -> None:
        """Send the client a reply that comes from another node."""


class Reader:
    """Reads a socket of the channel in bounded batches."""

    def __init__(self, hub: Hub, sock: socket.socket) -> None:
        self._hub = hub
        self._sock = sock

    def ready(self, events: int) -> None:
        """Read a batch of frames."""
        wall = time.time()
        for _ in range(_BATCH):
            try:
                data, source = self._sock.recvfrom(_DATAGRAM)
            except OSError:
                return
            self._hub.received(data, source, wall)


class Hub:
    """Exchanges frames with other nodes. `address_of(digest)` returns the address that the node with that digest
    advertises, "" if this worker has not heard of it yet.

    A genuine frame proves that its sender is of this cluster and was alive a moment ago, so it is delivered whatever
    this worker knows of that node: the workers of a node learn of another at different times.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, slot: int) -> None:
        self.slot = slot
        self.name = ""
        self.receivers: dict[str, Receiver] = {}
        self.drops: dict[str, int] = {}
        self.sock: socket.socket | None = None
        self._addresses = NodeAddresses(loop)
        self._key = b""
        self._sealer: Sealer | None = None
        self._opener: Opener | None = None
        self._address_of: Callable[[bytes], str] = _unknown

    def follow(self, key: bytes, name: str, address_of: Callable[[bytes], str]) -> None:
        """Be the node `name` of the cluster with `key`; b"": of none."""
        self._address_of = address_of
        if (key, name) == (self._key, self.name):
            return
        self._key, self.name = key, name
        self._sealer = Sealer(key, name, self.slot, time.time()) if key else None
        self._opener = Opener(key, name) if key else None

    def learn(self, advertised: Iterable[str]) -> None:
        """Look up the names of nodes before a datagram needs them."""
        if self.sock is not None:
            self._addresses.learn(advertised, self.sock.family)

    def send(self, node: Node, kind: int, listener: str, client: Any, own: Any, data: bytes) -> bool:
        """Send a frame to a worker of another node; False if that is not possible now."""
        if self._sealer is None or self.sock is None:
            self._dropped("channel_closed")
            return False
        place = self._addresses.find(node.address, self.sock.family) if node.address else node.source
        if place is None:
            self._dropped("node_unresolved")
            return False
        frame = self._sealer.seal(node.digest, node.slot, kind, listener, client, own, data, time.time())
        try:
            self.sock.sendto(frame, place)
        except BlockingIOError:
            self._dropped("channel_busy")
            return False
        except OSError:
            self._dropped("node_unreachable")
            return False
        return True

    def reader(self, sock: socket.socket) -> Reader:
        """Return what reads the frames of one socket."""
        return Reader(self, sock)

    def received(self, data: bytes, source: Any, wall: float) -> None:
        """Handle a datagram that came from `source` by the channel. Forged ones are dropped without a reply."""
        frame = None if self._opener is None else self._opener.open(data, wall)
        if frame is None:
            self._dropped("frame_invalid")
        else:
            self._deliver(frame, source)

    def _deliver(self, frame: Frame, source: Any) -> None:
        receiver = self.receivers.get(frame.listener)
        if receiver is None:
            self._dropped("frame_of_unknown_listener")
        elif frame.kind == REPLY:
            receiver.replied(frame.client, frame.own, frame.data)
        elif frame.kind == FORWARD:
            sender = Node(frame.sender, self._address_of(frame.sender), frame.slot, source)
            receiver.forwarded(sender, frame.client, frame.own, frame.data)
        else:
            self._dropped("frame_invalid")

    def _dropped(self, reason: str) -> None:
        self.drops[reason] = self.drops.get(reason, 0) + 1


def _unknown(digest: bytes) -> str:
    return ""


__all__ = ["FORWARD", "REPLY", "Hub", "Node", "Receiver", "digest_of"]
