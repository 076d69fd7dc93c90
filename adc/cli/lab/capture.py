"""Captures the packets of a namespace with an AF_PACKET socket."""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from adc.cli.lab.namespace import Namespace
from adc.cli.lab.packets import Packet, decode

LIMIT = 200_000
_ALL = 0x0003
_TIMESTAMP = 35  # SO_TIMESTAMPNS
_FORCED_BUFFER = 33  # SO_RCVBUFFORCE
_BUFFER = 16 * 1024 * 1024
_FRAME = 256 * 1024


class Capture:
    """Records packets, at most `LIMIT`."""

    def __init__(self, source: socket.socket) -> None:
        self._packets: list[Packet] = []
        self._socket = source
        self._open = True
        self._changed = threading.Condition()
        self._stop, self._stopper = os.pipe()
        self._thread = threading.Thread(target=self._read, name="capture")
        self._thread.start()

    @property
    def packets(self) -> list[Packet]:
        """All packets that the kernel has captured until now, oldest first."""
        self._take()
        return self._packets

    def wait(self, wanted: Callable[[Packet], bool], seconds: float = 5.0) -> Packet:
        """Return the first packet that is `wanted`, past or to come. Raises TimeoutError with all others."""
        deadline = time.monotonic() + seconds
        looked = 0
        with self._changed:
            while True:
                self._take()
                for packet in self._packets[looked:]:
                    if wanted(packet):
                        return packet
                looked = len(self._packets)
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise TimeoutError(f"no such packet within {seconds:g} s; captured:\n{self}")

    def find(self, wanted: Callable[[Packet], bool]) -> list[Packet]:
        """Return all packets until now that are `wanted`."""
        return [packet for packet in self.packets if wanted(packet)]

    def close(self) -> None:
        """Read what the kernel has captured until now, and stop."""
        os.write(self._stopper, b".")
        self._thread.join()
        self._open = False
        self._socket.close()
        os.close(self._stop)
        os.close(self._stopper)

    def __str__(self) -> str:
        start = self._packets[0].time if self._packets else 0.0
        return "\n".join(f"{packet.time - start:8.3f} {packet}" for packet in self._packets)

    def _read(self) -> None:
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        waiting.register(self._stop, select.POLLIN)
        stopping = False
        while not stopping:
            stopping = any(descriptor == self._stop for descriptor, _ in waiting.poll())
            self._take()

    def _take(self) -> None:
        """Read what the kernel has captured; the caller may be ahead of the thread."""
        with self._changed:
            while self._open and (packets := self._receive()):
                self._packets += packets[: LIMIT - len(self._packets)]
                self._changed.notify_all()

    def _receive(self, most: int = 64) -> list[Packet]:
        """Return what has been captured since, [] if nothing; at most `most` packets."""
        packets: list[Packet] = []
        while len(packets) < most:
            try:
                frame, extras, _, sender = self._socket.recvmsg(_FRAME, 64)
            except BlockingIOError:
                break
            interface, kind = sender[0], sender[2]
            stamps = (
                data for level, type, data in extras if (level, type) == (socket.SOL_SOCKET, _TIMESTAMP)
            )
            seconds, nanoseconds = struct.unpack("@qq", next(stamps, b"").ljust(16, b"\0"))
            packet = decode(frame, interface, kind == socket.PACKET_OUTGOING, seconds + nanoseconds / 1e9)
            if packet is not None and interface != "lo":
                packets.append(packet)
        return packets


@contextmanager
def capture(space: Namespace, interface: str = "") -> Iterator[Capture]:
    """Capture TCP, UDP and ICMP of one interface of a namespace, by default of all but the loopback."""
    packets = Capture(space.call(_open, interface))
    try:
        yield packets
    finally:
        packets.close()


def _open(interface: str) -> socket.socket:
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(_ALL))
    opened.setsockopt(socket.SOL_SOCKET, _FORCED_BUFFER, _BUFFER)
    opened.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
    if interface:
        opened.bind((interface, _ALL))
    return opened
