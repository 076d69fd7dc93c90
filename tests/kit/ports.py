"""Ports for processes that cannot be told to bind port 0."""

import os
import random
import socket

_FIRST, _LAST = 12_000, 32_000
"""Below the range from which the kernel gives ports to outgoing connections."""

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_ports = [port for port in range(_FIRST, _LAST) if port % _workers == _worker]
random.Random(os.getpid()).shuffle(_ports)


def free_port() -> int:
    """A port that nobody listens on, that no connection is given by chance, and that is not handed out again."""
    while True:
        port = _ports.pop()
        if all(_is_free(kind, port) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            return port


def _is_free(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(type=kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
