"""Many clients with a datagram each, and the member that replies to them."""

import socket
import threading
import time

from tests.soak.udp_sessions.service import PATIENCE, PER_SOURCE


class Echo:
    """A member that returns each datagram, in a thread."""

    def __init__(self):
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.port = self._sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            data, sender = self._sock.recvfrom(2048)
            self._sock.sendto(data, sender)


def host_of(number):
    """Return the address of a client."""
    return f"127.0.1.{number // PER_SOURCE + 1}"


def open_sessions(service, sessions):
    """Open `sessions` sessions, each with a datagram from another client address; return how long it took.

    Each client socket is closed at once, so that few descriptors are needed.
    """
    began = time.monotonic()
    while service.sessions() < sessions:  # a receive buffer that was full has lost some
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"{service.sessions()} sessions in {PATIENCE:g} s; the log:\n{service.log()}")
        for number in range(sessions):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.bind((host_of(number), 10_000 + number % PER_SOURCE))
                client.sendto(b"hello", ("127.0.0.1", service.port))
            if number % 64 == 63:
                time.sleep(0.003)
        time.sleep(0.5)
    return time.monotonic() - began
