"""`python -m benchmarks.loads.stream_client PORT SECONDS DOWN UP`: bytes in both directions over TCP.

Prints what arrived as one JSON line. Uploads end with the half of the client.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
import time

from benchmarks.members import Drain, Source, random_file

LIMIT = 20.0


def run(port: int, seconds: float, down: int, up: int) -> dict[str, float]:
    """Transfer for `seconds` on `down` + `up` connections; return bytes, microseconds and errors."""
    selector = selectors.DefaultSelector()
    downloads = [_begin(port, b"down\n") for _ in range(down)]
    uploads = [_begin(port, b"up\n") for _ in range(up)]
    file = random_file()
    for connection in downloads:
        selector.register(connection, selectors.EVENT_READ, Drain(connection).receive)
    for connection in uploads:
        selector.register(connection, selectors.EVENT_WRITE, Source(connection, file).send)
    received = errors = 0
    began = time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        for key, events in selector.select(began + seconds - now):
            try:
                count = key.data()
            except OSError:
                count = None
            if count is None:
                errors += 1
                selector.unregister(key.fileobj)
            elif events & selectors.EVENT_READ:
                received += count
    for opened in (selector, *downloads):
        opened.close()
    received += sum(_end(connection) for connection in uploads)
    os.close(file)
    return _outcome(down + up, received, time.monotonic() - began, errors)


def _begin(port: int, line: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), LIMIT)
    connection.sendall(line)
    connection.setblocking(False)
    return connection


def _end(connection: socket.socket) -> int:
    """End an upload and return the bytes that its member has received."""
    with connection:
        connection.settimeout(LIMIT)
        connection.shutdown(socket.SHUT_WR)
        return int(connection.makefile().readline())


def _outcome(connections: int, received: int, seconds: float, errors: int) -> dict[str, float]:
    return {"requests": connections, "bytes": received, "microseconds": seconds * 1e6} | {
        "p50": 0,
        "p99": 0,
        "errors": errors,
        "refused": 0,
    }


if __name__ == "__main__":
    port, seconds, down, up = map(int, sys.argv[1:])
    print(json.dumps(run(port, seconds, down, up)))
