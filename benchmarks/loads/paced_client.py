"""`python -m benchmarks.loads.paced_client PORT CONNECTIONS RATE SECONDS`: an open loop of GETs; prints its outcome.

Request N is due N / RATE seconds after the start, however late earlier responses are, and its latency counts from then.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import deque

from benchmarks.loads.outcome import Outcome

PATIENCE = 10.0
"""Seconds without any response after which the run is given up."""

_FIRST_ERROR_STATUS = 400
_FIELDS = """
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8
Accept-Language: en-GB,en;q=0.7,de;q=0.3
Sec-Fetch-Dest: document
Sec-Fetch-Mode: navigate
Accept-Encoding: gzip, deflate, br
Connection: keep-alive"""


def request_head(number: int) -> bytes:
    """Return the head of request `number`, made as browser.lua makes it for two hosts with five prefixes."""
    host = f"site{number * 7 % 2}.example.com"
    prefix = f"/app{number * 13 % 5}/"
    tag = f"0-{number + 100}"
    head = (
        f"GET {prefix}item/{tag}?page={number % 10}&ref={number % 100 + 100} HTTP/1.1\nHost: {host}{_FIELDS}\n"
        f"Referer: https://{host}{prefix}list/{number % 1000}\n"
        f"Cookie: theme=dark; visitor={tag}; session=b7e2f09c51d64a83{number}\n\n"
    )
    return head.replace("\n", "\r\n").encode()


class Response:
    """A response that arrives; its body has a Content-Length."""

    def __init__(self) -> None:
        self._data = b""
        self.size = 0
        self.status = 0

    def add(self, data: bytes) -> bool:
        """Append `data`; True if the response is complete. Raises ValueError without a Content-Length."""
        self._data += data
        if not self.size and b"\r\n\r\n" in self._data:
            head, _, _ = self._data.partition(b"\r\n\r\n")
            self.status = int(head.split(b" ", 2)[1])
            length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            self.size = len(head) + 4 + int(length)
        return 0 < self.size <= len(self._data)


class Connection:
    """A keep-alive connection with at most one request in flight, due at `due`."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.response = Response()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, head: bytes, due: float) -> None:
        self.due = due
        self.response = Response()
        self._socket.sendall(head)

    def receive(self) -> bool:
        """Read what arrived; True if the response is complete. Raises ConnectionError at an early end."""
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the peer closed a connection within a response")
        return self.response.add(data)

    def close(self) -> None:
        self._socket.close()


class PacedRun:
    """`total` requests, `rate` of them a second; a request whose time has come waits while all connections are busy."""

    def __init__(self, connections: list[Connection], rate: int, total: int) -> None:
        self._idle = deque(connections)
        self._busy: set[Connection] = set()
        self._rate = rate
        self._total = total
        self._sent = 0
        self._bytes = 0
        self._refused = 0
        self._latencies: list[float] = []

    def run(self) -> Outcome:
        """Send and receive until every request has its response. Raises ConnectionError."""
        start = time.perf_counter()
        while len(self._latencies) < self._total:
            wait = self._send_due(start)
            ready = select.select(self._busy, (), (), wait)[0]
            if not ready and wait == PATIENCE:
                raise ConnectionError(f"no response for {PATIENCE:g} s")
            for connection in ready:
                if connection.receive():
                    self._finish(connection)
        return self._outcome(time.perf_counter() - start)

    def _send_due(self, start: float) -> float:
        """Send what is due; return the seconds until the next request is."""
        while self._idle and self._sent < self._total:
            due = start + self._sent / self._rate
            early = due - time.perf_counter()
            if early > 0:
                return early
            connection = self._idle.popleft()
            connection.send(request_head(self._sent), due)
            self._busy.add(connection)
            self._sent += 1
        return PATIENCE

    def _finish(self, connection: Connection) -> None:
        self._latencies.append(time.perf_counter() - connection.due)
        self._bytes += connection.response.size
        self._refused += connection.response.status >= _FIRST_ERROR_STATUS
        self._busy.remove(connection)
        self._idle.append(connection)

    def _outcome(self, seconds: float) -> Outcome:
        ordered = sorted(self._latencies)
        p50, p99 = (ordered[len(ordered) * percent // 100] * 1e6 for percent in (50, 99))
        return Outcome(len(ordered), self._bytes, int(seconds * 1e6), p50, p99, 0, self._refused)


def main(port: int, connections: int, rate: int, seconds: int) -> None:
    opened = [Connection(port) for _ in range(connections)]
    outcome = PacedRun(opened, rate, rate * seconds).run()
    for connection in opened:
        connection.close()
    print(json.dumps(outcome._asdict()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
