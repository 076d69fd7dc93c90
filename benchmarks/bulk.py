"""`python -m benchmarks.bulk`: a large upload and a large download, and what they do to the worker's memory."""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.under_load import Site

MIB = 1 << 20
LIMIT = 30 * MIB
"""What a worker may grow by."""

_BLOCK = bytes(MIB)
_OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


class BulkMember:
    """Answers GET with `size` bytes, and counts what is sent with POST."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            head, rest = read_head(connection)
            if head.startswith(b"GET"):
                connection.sendall(_OK % self._size)
                send(connection, self._size)
            else:
                count = len(rest) + receive(connection, self._size - len(rest))
                body = b"%d" % count
                connection.sendall(_OK % len(body) + body)


def read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """A message head, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("the connection ended within a head")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def send(connection: socket.socket, size: int) -> None:
    """`size` zero bytes."""
    while size:
        block = _BLOCK[:size]
        connection.sendall(block)
        size -= len(block)


def receive(connection: socket.socket, size: int) -> int:
    """Up to `size` bytes, thrown away; returns how many came."""
    buffer = bytearray(MIB)
    count = 0
    while count < size:
        got = connection.recv_into(buffer, min(len(buffer), size - count))
        if not got:
            break
        count += got
    return count


def download(port: int, size: int) -> int:
    """Bytes of content that came."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(b"GET /bulk HTTP/1.1\r\nHost: bulk\r\nConnection: close\r\n\r\n")
        _, rest = read_head(connection)
        return len(rest) + receive(connection, size - len(rest))


def upload(port: int, size: int) -> int:
    """Bytes that reached the member, by its own count."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        head = b"POST /bulk HTTP/1.1\r\nHost: bulk\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
        connection.sendall(head)
        send(connection, size)
        head, body = read_head(connection)
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"refused: {head.splitlines()[0]!r}")
        while more := connection.recv(4096):
            body += more
        return int(body)


class Memory:
    """The highest resident size of some processes together, looked at every 20 ms while the block runs."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.before = self.highest = self._now()

    def _now(self) -> int:
        return sum(resident(pid) for pid in self._pids)

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.highest = max(self.highest, self._now())

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()


def resident(pid: int) -> int:
    """Resident bytes of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


CASES: dict[str, Callable[[int, int], int]] = {"upload": upload, "download": download}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2048, help="Size of each body.")
    size = parser.parse_args().megabytes * MIB
    failed = 0
    print(f"{'case':10} {'MB':>6} {'MB/s':>8} {'before MB':>10} {'highest MB':>11} {'growth MB':>10}")
    for name, transfer in CASES.items():
        with ExitStack() as stack:
            member = BulkMember(size)
            site = Site(Path(stack.enter_context(tempfile.TemporaryDirectory())), stack, bulk=member.port)
            with Memory(site.workers()) as memory:
                began = time.monotonic()
                count = transfer(site.ports["web"], size)
                took = time.monotonic() - began
        growth = memory.highest - memory.before
        print(
            f"{name:10} {count / MIB:6.0f} {count / MIB / took:8.0f} {memory.before / MIB:10.1f}"
            f" {memory.highest / MIB:11.1f} {growth / MIB:10.1f}",
            flush=True,
        )
        failed += count != size or growth > LIMIT
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
