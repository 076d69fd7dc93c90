"""Idle keep-alive connections, each after one request, and what they cost the peer in memory."""

from __future__ import annotations

import select
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.figures import Figures
from benchmarks.loads.wrk import LoadError
from benchmarks.running import Running

SETTLE = 1.0
WARM = 100


def _request(port: int, number: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10.0)
    head = f"GET /app{number % 5}/item/{number} HTTP/1.1\r\nHost: site{number % 2}.example.com\r\n"
    fields = f"User-Agent: idle/1\r\nAccept: */*\r\nCookie: visitor={number}\r\n\r\n"
    connection.sendall((head + fields).encode())
    answer = connection.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200"):
        connection.close()
        raise LoadError(f"connection {number} was answered {answer[:60]!r}")
    return connection


@dataclass(frozen=True)
class Idle:
    """`connections` opened one after the other and held."""

    connections: int = 10_000
    fresh: bool = True

    def warm_up(self, peer: Running) -> None:
        """Connections opened and closed again, so that what is made once is not counted."""
        for number in range(WARM):
            _request(peer.site.port, number).close()
        time.sleep(SETTLE)

    def measure(self, peer: Running, seconds: int) -> Figures:
        """Resident memory before and with the connections, `seconds` unused. Raises LoadError, StartError."""
        port = peer.site.port
        before = peer.processes.usage().rss
        with ExitStack() as stack:
            opened = [stack.enter_context(_request(port, number)) for number in range(self.connections)]
            time.sleep(SETTLE)
            grown = peer.processes.usage().rss - before
            closed = _count_readable(opened)
        return {
            "kb_each": grown / 1024 / self.connections,
            "rss_mb": (before + grown) / 2**20,
            "failed": float(closed),
        }


def _count_readable(connections: list[socket.socket]) -> int:
    """How many have something to read: on an idle connection that is its end."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLIN)
    return len(poll.poll(0))
