"""`python -m benchmarks.loads.mail_client PORT SECONDS CONNECTIONS MESSAGES`: messages of 10 KB over SMTP.

Each connection sends MESSAGES messages, commands pipelined, and is then replaced by another one. Prints what was
accepted as one JSON line.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from statistics import quantiles

LIMIT = 20.0
_LINE = b"The quick brown fox jumps over the lazy dog, and so on.\r\n"
CONTENT = b"Subject: a message\r\nFrom: a@client.test\r\nTo: b@example.com\r\n\r\n" + _LINE * 180
QUIT = b"QUIT\r\n"
ENVELOPE = b"MAIL FROM:<a@client.test>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"


class MailConversation:
    """The client's side of one connection, without I/O. `accepted` are the times that messages took."""

    def __init__(self, messages: int) -> None:
        self.accepted: list[float] = []
        self.over = False
        self._steps = self._plan(messages)
        self._due = 1
        self._began = 0.0
        self._received = b""

    def _plan(self, messages: int) -> list[tuple[bytes, int]]:
        """Return what is sent, and how many replies come, last step first."""
        message = [(ENVELOPE, 3), (CONTENT + b".\r\n", 1)]
        return [(b"EHLO client.test\r\n", 1), *(message * messages), (QUIT, 1)][::-1]

    def feed(self, data: bytes, now: float) -> bytes:
        """Return what is sent next, b"" while replies are missing. Raises ValueError for a refusal."""
        lines = (self._received + data).split(b"\r\n")
        self._received = lines.pop()
        for line in lines:
            if line[:1] not in (b"2", b"3"):
                raise ValueError(line)
            self._due -= line[3:4] != b"-"
        return b"" if self._due else self._go_on(now)

    def _go_on(self, now: float) -> bytes:
        if not self._steps:
            self.over = True
            return b""
        sent, self._due = self._steps.pop()
        if sent in (ENVELOPE, QUIT):
            if self._began:
                self.accepted.append(now - self._began)
            self._began = now
        return sent


def run(port: int, seconds: float, connections: int, messages: int) -> dict[str, float]:
    """Send for `seconds` and return the outcome."""
    selector = selectors.DefaultSelector()
    took: list[float] = []
    failed = 0
    for _ in range(connections):
        _open(selector, port, messages)
    began = now = time.monotonic()
    while now < began + seconds:
        for key, _ in selector.select(1.0):
            now = time.monotonic()
            talk: MailConversation = key.data
            connection: socket.socket = key.fileobj  # type: ignore[assignment]
            try:
                going = _step(connection, talk, now)
            except (OSError, ValueError):
                going, failed = False, failed + 1
            if not going:
                took += talk.accepted
                selector.unregister(connection)
                connection.close()
                _open(selector, port, messages)
        now = time.monotonic()
    for key in list(selector.get_map().values()):
        took += key.data.accepted
        key.fileobj.close()  # type: ignore[union-attr]
    selector.close()
    return outcome(took, now - began, failed)


def _open(selector: selectors.BaseSelector, port: int, messages: int) -> None:
    connection = socket.create_connection(("127.0.0.1", port), LIMIT)
    selector.register(connection, selectors.EVENT_READ, MailConversation(messages))


def _step(connection: socket.socket, talk: MailConversation, now: float) -> bool:
    data = connection.recv(1 << 16)
    if not data:
        raise ConnectionResetError
    sent = talk.feed(data, now)
    if sent:
        connection.sendall(sent)
    return not talk.over


def outcome(took: list[float], seconds: float, failed: int) -> dict[str, float]:
    """Return the figures of messages that took so many seconds each."""
    cuts = quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
    return {
        "requests": len(took), "bytes": len(took) * len(CONTENT), "microseconds": seconds * 1e6,
        "p50": cuts[49] * 1e6, "p99": cuts[98] * 1e6, "errors": failed, "refused": 0,
    }  # fmt: skip


if __name__ == "__main__":
    port, seconds, connections, messages = map(int, sys.argv[1:])
    print(json.dumps(run(port, seconds, connections, messages)))
