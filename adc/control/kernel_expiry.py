"""Tells both ends of a TCP flow that the kernel forwarded and forgot: expired, killed or evicted.

The kernel reports the entry, without the numbers of its connection. So each end is sent segments from the other that it
answers with its numbers (`adc.sessions.probe`), and our rules answer that with the right RST.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Callable, Iterable
from random import Random

from adc.control import conntrack
from adc.firewall.nftables.datapath import PROBE_MARK
from adc.sessions.conntrack import DELETE, BadMessage, Endpoint, Tracked, about_ports, messages, parse
from adc.sessions.probe import probes
from adc.telemetry.event_log import EventLog

log = EventLog(__name__)

MOST_AT_ONCE = 64
"""Reports of the kernel that are handled in one iteration of the loop."""

PATIENCE = 2.0
"""Seconds for the reports at the end."""

_REPORT = 1 << 16
"""Bytes of a report at most."""

_BACKLOG = 8 << 20
"""Bytes of probes that wait for the network."""

_FORCED_SEND_BUFFER = 32
"""SO_SNDBUFFORCE: more than net.core.wmem_max."""

_OPEN_STATES = (0, 3, 4, 5)
"""Numbers of the states established, fin_wait and close_wait; 0 where the kernel does not report it (before 5.11)."""


def unable() -> str | None:
    """Return why this process cannot reset ends, or None."""
    try:
        _sender(socket.AF_INET).close()
    except OSError as error:
        return f"raw sockets need CAP_NET_RAW: {error.strerror or error}"
    return None


class ExpiryWatch:
    """Resets both ends of ended flows that `resets` selects; logs that it cannot without the right to raw sockets."""

    def __init__(self, resets: Callable[[Tracked], bool], rng: Random) -> None:
        self._resets = resets
        self._wanted: Callable[[bytes], object] = about_ports(())
        self._rng = rng
        self._events: socket.socket | None = None
        self._senders: dict[int, socket.socket] = {}
        self._reading: asyncio.AbstractEventLoop | None = None

    def open(self, ports: Iterable[int]) -> None:
        """Have the kernel report flows to `ports`. It reports entries only that are made after the first call."""
        self._wanted = about_ports(ports)
        if self._events is not None:
            return
        try:
            self._senders = {family: _sender(family) for family in (socket.AF_INET, socket.AF_INET6)}
            self._events = conntrack.ended()
        except OSError as error:
            self.close()
            log.warn("kernel_reset_not_sent", detail=unable() or str(error))

    def start(self) -> None:
        """Read reports in the running loop."""
        if self._events is not None and self._reading is None:
            self._reading = asyncio.get_running_loop()
            self._reading.add_reader(self._events, self._read)

    def close(self) -> None:
        """Stop. `open` may follow."""
        if self._events is not None and self._reading is not None:
            self._reading.remove_reader(self._events)
        self._reading = None
        for each in (self._events, *self._senders.values()):
            if each is not None:
                each.close()
        self._events, self._senders = None, {}

    def finish(self) -> None:
        """Read all reports of entries that have ended until now, in a limited time."""
        deadline = time.monotonic() + PATIENCE
        while self._reading is not None and self._read() and time.monotonic() < deadline:
            pass

    def _read(self) -> bool:
        """Read some reports; True if there may be more."""
        for _ in range(MOST_AT_ONCE):
            try:
                data = self._events.recv(_REPORT) if self._events is not None else b""
                if not data:
                    return False
                for kind, body in messages(data):
                    entry = parse(body) if kind == DELETE and self._wanted(body) else None
                    if entry is not None:
                        self._ended(entry)
            except BlockingIOError:
                return False
            except (OSError, BadMessage) as error:
                full = isinstance(error, OSError) and error.errno == errno.ENOBUFS
                detail = "too many flows ended at once" if full else str(error)
                log.warn("kernel_reset_not_sent", detail=detail)
                return True
        return True

    def _ended(self, entry: Tracked) -> None:
        if entry.original.protocol == "tcp" and entry.state in _OPEN_STATES and self._resets(entry):
            self._probe(entry.original.destination, entry.original.source)
            self._probe(entry.reply.destination, entry.reply.source)

    def _probe(self, other: Endpoint, end: Endpoint) -> None:
        sender = self._senders[socket.AF_INET6 if ":" in end[0] else socket.AF_INET]
        for packet in probes(other, end, self._rng.getrandbits(32)):
            try:
                sender.sendto(packet, (end[0], 0))
            except OSError:
                return  # an end without a route cannot be reset


def _sender(family: int) -> socket.socket:
    """Return a socket for whole packets, which our rules recognise by their mark."""
    sender = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    try:
        sender.setblocking(False)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, PROBE_MARK)
        sender.setsockopt(socket.SOL_SOCKET, _FORCED_SEND_BUFFER, _BACKLOG)
    except OSError:
        sender.close()
        raise
    return sender
