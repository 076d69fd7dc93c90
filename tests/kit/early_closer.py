"""A member in a thread that answers from the head of a request alone and closes, as gunicorn, node and copyparty do."""

import contextlib
import re
import socket
import threading
import time

REFUSED = b"HTTP/1.1 401 No\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlogin"


class EarlyCloser:
    """Answers `reply` once a head has come and a part of what follows is read (`appetite` bytes), then closes.

    `reply` b"" closes without a word. `heads` are the heads that came. `before` replies answer whole requests first, on
    the same connection. `pause` seconds go by before the close; `keep_open`: it reads the content after its answer, and
    goes on with the next request.
    """

    def __init__(self, reply=REFUSED, *, appetite=0, tls=None, before=0, pause=0.0, keep_open=False):
        self._reply = reply
        self._appetite = appetite
        self._tls = tls
        self._before = before
        self._pause = pause
        self._keep_open = keep_open
        self.heads = []
        self.connections = 0

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError), contextlib.ExitStack() as closing:
            closing.enter_context(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                sock = closing.enter_context(self._tls.wrap_socket(sock, server_side=True))
            for _ in range(self._before):
                self._head(sock)
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            self._answer(sock)
            while self._keep_open:
                self._answer(sock)
            time.sleep(self._pause)

    def _answer(self, sock):
        surplus = self._read(sock, len(self._head(sock)), self._appetite)
        sock.sendall(self._reply)
        if self._keep_open:
            length = re.search(rb"content-length: (\d+)", self.heads[-1].lower())
            self._read(sock, surplus, int(length[1]))

    def _read(self, sock, count, wanted):
        while count < wanted:
            more = len(sock.recv(min(65536, wanted - count)))
            if not more:
                raise ConnectionError("the end")
            count += more
        return count

    def _head(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(1000)
            if not more:
                raise ConnectionError("the end")
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        self.heads.append(head)
        return rest
