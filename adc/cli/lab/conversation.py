"""An application of the laboratory: a client with a lasting connection to a server, and what both notice."""

from __future__ import annotations

import select
import socket
import threading
import time
from dataclasses import dataclass, field

from adc.cli.lab.namespace import Namespace
from adc.cli.lab.timeline import FAILURE, NOTE, Journal
from adc.net.tcp_options import close_by_reset

_OPEN, _RESET, _ENDED = "open", "reset", "ended"


class Server:
    """Answers each line of a connection, and says at the end what it thinks of its connections."""

    def __init__(self, space: Namespace, address: str, port: int, journal: Journal) -> None:
        self._space, self._journal = space, journal
        self.connections: list[str] = []
        self._sockets: list[socket.socket] = []
        self._listener = space.call(socket.create_server, (address, port))
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        """End the listener and all connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for connection in self._sockets:
            close_by_reset(connection)
            connection.close()

    @property
    def summary(self) -> str:
        """Return the states of its connections, such as "1 open, 1 reset"."""
        counts = {state: self.connections.count(state) for state in dict.fromkeys(self.connections)}
        return ", ".join(f"{count} {state}" for state, count in counts.items()) or "none"

    def _accept(self) -> None:
        waiting = {self._listener: 0}
        while True:
            for ready in select.select(list(waiting), [], [])[0]:
                if ready is not self._listener:
                    self._serve(ready, waiting)
                    continue
                try:
                    connection, _ = self._listener.accept()
                except OSError:
                    return
                waiting[connection] = len(self.connections)
                self.connections.append(_OPEN)
                self._sockets.append(connection)

    def _serve(self, connection: socket.socket, waiting: dict[socket.socket, int]) -> None:
        try:
            data = connection.recv(4096)
            if data:
                connection.sendall(b"result of " + data)
                return
            state = _ENDED
        except OSError:
            state = _RESET
        self.connections[waiting.pop(connection)] = state
        self._journal.add(self._space.role, f"connection {state}")


@dataclass
class Client:
    """Asks, is silent, asks again. It dials again if it was told that its connection is gone.

    `pause` is the silence and `patience` the longest wait for a response, in seconds.
    """

    space: Namespace
    address: str
    port: int
    journal: Journal
    pause: float
    patience: float
    answers: list[float | None] = field(default_factory=list)
    """Seconds that each response took; None where there was none."""
    told: float | None = None
    """Seconds into the silence at which it was told that the connection is gone."""
    _connection: socket.socket | None = None

    def run(self) -> None:
        """Hold the conversation."""
        connection = self._connect()
        self._ask(connection, "query 1")
        began = time.monotonic()
        if self._is_told(connection):
            self.told = time.monotonic() - began
            connection.close()
            time.sleep(max(0.0, began + self.pause - time.monotonic()))
            connection = self._connect()
        self._say(f"asks again after {self.pause:g} s")
        self._ask(connection, "query 2")
        self._connection = connection

    def close(self) -> None:
        """Close the last connection."""
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> socket.socket:
        return self.space.connect(self.address, self.port)

    def _ask(self, connection: socket.socket, text: str) -> None:
        began = time.monotonic()
        connection.settimeout(self.patience)
        try:
            connection.sendall(text.encode())
            answered = bool(connection.recv(4096))
            why = "the connection has ended"
        except TimeoutError:
            answered, why = False, f"no response for {self.patience:g} s, gives up"
        except OSError as error:
            answered, why = False, f"{error.strerror}"
        self.answers.append(time.monotonic() - began if answered else None)
        if not answered:
            self._say(f"{text}: {why}", FAILURE)

    def _is_told(self, connection: socket.socket) -> bool:
        """Be silent for `pause`; True as soon as the connection is reset or ended."""
        if not select.select([connection], [], [], self.pause)[0]:
            return False
        try:
            connection.recv(4096)
            self._say("learns that the connection ended")
        except OSError:
            self._say("learns that the connection was reset")
        return True

    def _say(self, text: str, kind: str = NOTE) -> None:
        self.journal.add(self.space.role, text, kind)
