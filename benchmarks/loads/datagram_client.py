"""`python -m benchmarks.loads.datagram_client PORT SECONDS SOCKETS`: UDP requests and responses of many client ports.

`IN_FLIGHT` ports wait for a response at a time; after it another port sends the next request. Requests differ in size
and content, and each response must be that of its request. A request without one within `PATIENCE` seconds is an error.
Prints one JSON line.
"""

from __future__ import annotations

import json
import random
import select
import socket
import sys
import time
from collections import deque
from contextlib import suppress

PATIENCE = 1.0
IN_FLIGHT = 64
SIZES = range(30, 500)
REQUESTS = 4096


def run(port: int, seconds: float, count: int) -> dict[str, float]:
    """Send from `count` ports for `seconds`; return requests, bytes, times and errors."""
    requests = [random.randbytes(random.choice(SIZES)) for _ in range(REQUESTS)]
    sockets = {opened.fileno(): opened for opened in (_open(port) for _ in range(count))}
    waiting = select.epoll()
    for descriptor in sockets:
        waiting.register(descriptor, select.EPOLLIN)
    idle = deque(sockets)
    sent: dict[int, tuple[float, bytes]] = {}
    times: list[float] = []
    received = errors = number = 0
    began = now = looked = time.monotonic()
    while now < began + seconds:
        for _ in range(IN_FLIGHT - len(sent)):
            descriptor = idle.popleft()
            number += 1
            request = requests[number % REQUESTS]
            sent[descriptor] = now, request
            with suppress(OSError):
                sockets[descriptor].send(request)
        ready = waiting.poll(PATIENCE, IN_FLIGHT)
        now = time.monotonic()
        for descriptor, _ in ready:
            response = _receive(sockets[descriptor])
            when, request = sent.get(descriptor, (0.0, None))
            if response != request:
                errors += 1
                continue
            del sent[descriptor]
            idle.append(descriptor)
            times.append(now - when)
            received += len(response)
        if now - looked > PATIENCE:
            looked = now
            errors += _give_up(sent, idle, now)
    for opened in (waiting, *sockets.values()):
        opened.close()
    return _outcome(times, received, now - began, errors)


def _open(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.connect(("127.0.0.1", port))
    opened.setblocking(False)
    return opened


def _receive(opened: socket.socket) -> bytes:
    try:
        return opened.recv(2048)
    except OSError:
        return b""


def _give_up(sent: dict[int, tuple[float, bytes]], idle: deque[int], now: float) -> int:
    """Forget requests whose response is late, and return how many there were."""
    late = [descriptor for descriptor, (when, _) in sent.items() if now - when > PATIENCE]
    for descriptor in late:
        del sent[descriptor]
        idle.append(descriptor)
    return len(late)


def _outcome(times: list[float], received: int, seconds: float, errors: int) -> dict[str, float]:
    times.sort()
    p50, p99 = (times[len(times) * share // 100] * 1e6 for share in (50, 99)) if times else (0, 0)
    counts = {"requests": len(times), "bytes": received, "microseconds": seconds * 1e6}
    return {**counts, "p50": p50, "p99": p99, "errors": errors, "refused": 0}


if __name__ == "__main__":
    print(json.dumps(run(*map(int, sys.argv[1:]))))
