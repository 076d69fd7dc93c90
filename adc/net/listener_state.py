"""The connections of one listener and their limits, whatever protocol they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from adc.net.sources import SourceLimit


class OpenConnection(Protocol):
    """A client connection as its listener knows it. `deadline` (monotonic seconds) is when `timed_out` is called."""

    @property
    def deadline(self) -> float:
        """The time at which the connection times out."""

    @property
    def peer(self) -> str:
        """The client's address as text."""

    @property
    def retiring(self) -> bool:
        """True if the connection closes after the response to its next request."""

    def timed_out(self) -> None:
        """Called when a tick finds `deadline` passed."""

    def retire(self) -> None:
        """Close after the next request, so that the client connects again, to another worker perhaps."""

    def drain(self) -> None:
        """Close when what is in flight is complete; soon if nothing is."""


class Observer(Protocol):
    """What is told of each connection that opens and closes."""

    def opened(self, connection: OpenConnection) -> None:
        """Called after a connection was counted."""

    def closed(self, connection: OpenConnection) -> None:
        """Called after a connection was forgotten."""


class ListenerState:
    """What all connections of one listener share; a reload changes it in place.

    `connections` holds every open one. `scheme` is what new connections speak; `draining` is True if there are no new
    ones. Open connections of another scheme, or of a draining listener, close after their next response. `accepted`
    and `rejected` count connections, `shedding` those that are being told that there is no room. `observer` is None
    unless connections are in the session table.
    """

    def __init__(self) -> None:
        self.max_connections = 20000
        self.sources: SourceLimit | None = None
        self.observer: Observer | None = None
        self.scheme = "http"
        self.draining = False
        self.connections: set[OpenConnection] = set()
        self.accepted = 0
        self.rejected = 0
        self.shedding = 0

    def opened(self, connection: OpenConnection) -> bool:
        """Count a new connection; False if its source has too many."""
        self.accepted += 1
        sources = self.sources
        if sources is not None and not sources.admit(connection.peer):
            self.rejected += 1
            return False
        self.connections.add(connection)
        if self.observer is not None:
            self.observer.opened(connection)
        return True

    def closed(self, connection: OpenConnection) -> None:
        """Forget a connection."""
        if connection in self.connections:
            self.connections.remove(connection)
            if self.observer is not None:
                self.observer.closed(connection)
            if self.sources is not None:
                self.sources.leave(connection.peer)
