"""Idle keep-alive connections, each after one request, and what they cost the peer in memory."""

from __future__ import annotations

import resource
import select
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection

from benchmarks.figures import Figures
from benchmarks.loads.outcome import LoadError
from benchmarks.running import Running

SETTLE = 1.0
BATCH = 20
_OTHERS = 500
"""Descriptors that are not of clients."""


def _ask(port: int, number: int) -> HTTPConnection:
    connection = HTTPConnection("127.0.0.1", port, timeout=20.0)
    fields = {"Host": f"site{number % 2}.example.com", "User-Agent": "idle/1", "Cookie": f"visitor={number}"}
    connection.request("GET", f"/app{number % 5}/item/{number}", headers=fields)
    return connection


def _open(port: int, count: int, stack: ExitStack) -> list[HTTPConnection]:
    """`count` connections, BATCH at a time, each with one request answered. Raises LoadError."""
    opened: list[HTTPConnection] = []
    while len(opened) < count:
        first = len(opened)
        numbers = range(first, min(first + BATCH, count))
        opened += [stack.enter_context(closing(_ask(port, number))) for number in numbers]
        for connection in opened[first:]:
            answer = connection.getresponse()
            answer.read()
            if answer.status != HTTPStatus.OK:
                raise LoadError(f"after {first} connections one was answered with {answer.status}")
    return opened


def _count_closed(connections: list[HTTPConnection]) -> int:
    """How many the peer has ended: those that have something to read, though nothing was asked."""
    poll = select.poll()
    for connection in connections:
        if connection.sock is not None:
            poll.register(connection.sock, select.POLLIN)
    return len(poll.poll(0)) + sum(connection.sock is None for connection in connections)


@dataclass(frozen=True)
class Idle:
    """`connections` opened and held: as many as this machine's limit of descriptors leaves a proxy, which needs two
    for each client."""

    connections: int = 10_000
    fresh: bool = True

    def warm_up(self, peer: Running) -> None:
        """Connections opened and closed again, so that what is made once is not counted."""
        with ExitStack() as stack:
            _open(peer.site.port, 5 * BATCH, stack)
        time.sleep(SETTLE)

    def measure(self, peer: Running, seconds: int) -> Figures:
        """Resident memory before and with the connections, `seconds` unused. Raises LoadError, StartError."""
        count = min(self.connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2 - _OTHERS)
        before = peer.processes.usage()
        with ExitStack() as stack:
            opened = _open(peer.site.port, count, stack)
            time.sleep(SETTLE)
            after = peer.processes.usage()
            closed = _count_closed(opened)
        grown = after.since(before).rss
        return {
            "kb_each": grown / 1024 / count,
            "connections": float(count),
            "rss_mb": after.rss / 2**20,
            "failed": float(closed),
        }
