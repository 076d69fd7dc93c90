"""The member of the mail rows: accepts all messages, on one thread, and keeps none."""

from __future__ import annotations

import selectors
import socket

END = b"\r\n.\r\n"
_READ = 1 << 16
_REPLIES = {
    b"EHLO": b"250-member\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n",
    b"DATA": b"354 Go on\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}
_OK = b"250 2.0.0 Ok\r\n"


class MailSession:
    """One connection, without I/O."""

    def __init__(self) -> None:
        self._received = b""
        self._in_content = False
        self.over = False

    def feed(self, data: bytes) -> bytes:
        """Return the replies to what has come."""
        self._received += data
        replies = b""
        while (told := self._next()) is not None:
            replies += told
        return replies

    def _next(self) -> bytes | None:
        line, end, rest = self._received.partition(END if self._in_content else b"\r\n")
        if not end:
            if self._in_content:
                self._received = self._received[1 - len(END) :]
            return None
        if self._in_content:
            self._received, self._in_content = rest, False
            return b"250 2.0.0 Ok: queued\r\n"
        word = line[:4].upper()
        self._in_content, self.over = word == b"DATA", word == b"QUIT"
        self._received = b"\r\n" + rest if self._in_content else rest  # content begins at a line
        return _REPLIES.get(word, _OK)


def serve(port: int) -> None:
    """Serve on 127.0.0.1:`port` until the process ends."""
    listener = socket.create_server(("127.0.0.1", port), backlog=4096)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                connection, _ = listener.accept()
                connection.send(b"220 member ESMTP\r\n")
                selector.register(connection, selectors.EVENT_READ, MailSession())
            elif not _talk(key.fileobj, key.data):
                selector.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]


def _talk(connection: socket.socket, session: MailSession) -> bool:  # type: ignore[misc]
    try:
        data = connection.recv(_READ)
        replies = session.feed(data)
        if replies:
            connection.send(replies)
    except OSError:
        return False
    return bool(data) and not session.over
