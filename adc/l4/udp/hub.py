"""The datagram channel between nodes: frames out to other nodes, and in to the relay of their listener."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from adc.l4.udp.frames import FORWARD, REPLY, Frame, Opener, Sealer, digest_of
from adc.net.names import Names

_BATCH: Final = 64
_DATAGRAM: Final = 65_536


class Node:
    """Another node: its name, the address that it advertises, and the worker at which a session is."""

    __slots__ = ("address", "name", "slot")

    def __init__(self, name: str, address: str, slot: int) -> None:
        self.name = name
        self.address = address
        self.slot = slot


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
                data = self._sock.recv(_DATAGRAM)
            except OSError:
                return
            self._hub.received(data, wall)


class Hub:
    """Exchanges frames with other nodes. `address_of(digest)` returns name and address of the living node with that
    digest, None if there is none."""

    def __init__(self, loop: asyncio.AbstractEventLoop, slot: int) -> None:
        self.slot = slot
        self.name = ""
        self.receivers: dict[str, Receiver] = {}
        self.drops: dict[str, int] = {}
        self.sock: socket.socket | None = None
        self._loop = loop
        self._names = Names(loop, 30.0)
        self._places: dict[str, Any] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._key = b""
        self._sealer: Sealer | None = None
        self._opener: Opener | None = None
        self._address_of: Callable[[bytes], tuple[str, str] | None] = _nobody

    def follow(self, key: bytes, name: str, address_of: Callable[[bytes], tuple[str, str] | None]) -> None:
        """Be the node `name` of the cluster with `key`; b"": of none."""
        self._address_of = address_of
        if (key, name) == (self._key, self.name):
            return
        self._key, self.name = key, name
        self._sealer = Sealer(key, name, self.slot, time.time()) if key else None
        self._opener = Opener(key, name) if key else None

    def send(self, node: Node, kind: int, listener: str, client: Any, own: Any, data: bytes) -> bool:
        """Send a frame to a worker of another node; False if that is not possible now."""
        place = self._place(node.address)
        if self._sealer is None or self.sock is None or place is None:
            self._dropped("node_unreachable")
            return False
        frame = self._sealer.seal(node.name, node.slot, kind, listener, client, own, data, time.time())
        try:
            self.sock.sendto(frame, place)
        except OSError:
            self._dropped("node_unreachable")
            return False
        return True

    def reader(self, sock: socket.socket) -> Reader:
        """Return what reads the frames of one socket."""
        return Reader(self, sock)

    def received(self, data: bytes, wall: float) -> None:
        """Handle a datagram from the channel. What is not genuine is dropped without a reply."""
        frame = None if self._opener is None else self._opener.open(data, wall)
        if frame is None:
            self._dropped("frame_invalid")
        else:
            self._deliver(frame)

    def _deliver(self, frame: Frame) -> None:
        receiver = self.receivers.get(frame.listener)
        found = self._address_of(frame.sender)
        if receiver is None:
            self._dropped("frame_of_unknown_listener")
        elif frame.kind == REPLY:
            receiver.replied(frame.client, frame.own, frame.data)
        elif frame.kind == FORWARD and found is not None:
            name, address = found
            receiver.forwarded(Node(name, address, frame.slot), frame.client, frame.own, frame.data)
        else:
            self._dropped("frame_of_unknown_node")

    def _dropped(self, reason: str) -> None:
        self.drops[reason] = self.drops.get(reason, 0) + 1

    def _place(self, address: str) -> Any:
        """Return the socket address of an advertised one; None while its name is looked up."""
        found = self._places.get(address)
        if found is not None or address in self._looking or self.sock is None:
            return found
        host, _, port = address.rpartition(":")
        if not port.isdecimal():
            return None
        place = (host.strip("[]"), int(port))
        try:
            socket.inet_pton(self.sock.family, place[0])
        except OSError:
            self._looking[address] = self._loop.create_task(self._look_up(address, *place))
            return None
        self._places[address] = place
        return place

    async def _look_up(self, address: str, host: str, port: int) -> None:
        try:
            for found in await self._names.addresses(host):
                if self.sock is not None and (":" in found) == (self.sock.family == socket.AF_INET6):
                    self._places[address] = (found, port)
                    break
        except OSError:
            self._dropped("node_unreachable")
        finally:
            del self._looking[address]


def _nobody(digest: bytes) -> tuple[str, str] | None:
    return None


__all__ = ["FORWARD", "REPLY", "Hub", "Node", "Receiver", "digest_of"]
