"""What a connection to a member and the link that it belongs to know of each other."""

from __future__ import annotations

from abc import abstractmethod
from math import inf

from adc.net.batch import Batch, BatchedReader


class LinkedConnection(BatchedReader):
    """A connection as its link knows it.

    `counted` is true while it counts as one of the link's connections, `reused` once a response came on it; `deadline`
    (monotonic seconds) is when it has been idle too long.
    """

    __slots__ = ("counted", "deadline", "reused")

    def __init__(self) -> None:
        self.counted = False
        self.reused = False
        self.deadline = inf


class Owner:
    """A link as its connections know it.

    `retired` is true if its member is no longer used. `stale_row` counts connections that broke when they were used
    again, since the last that did not.
    """

    __slots__ = ("batch", "retired", "stale_row")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.retired = False
        self.stale_row = 0

    @abstractmethod
    def made(self, connection: LinkedConnection) -> None:
        """Count an open connection."""

    @abstractmethod
    def release(self, connection: LinkedConnection) -> None:
        """Take back a connection whose response is complete."""

    @abstractmethod
    def lost(self, connection: LinkedConnection) -> None:
        """Forget a closed connection."""

    @abstractmethod
    def uncount(self, connection: LinkedConnection) -> None:
        """Count a connection as closed: under TLS the member may take its time to say so as well."""

    @abstractmethod
    def discard(self, connection: LinkedConnection) -> None:
        """Keep a connection that may be idle from being used again."""

    @abstractmethod
    def stale(self, connection: LinkedConnection) -> str:
        """Count a connection that broke when it was used again; return in words what follows from that."""

    @abstractmethod
    def announced(self, value: bytes) -> None:
        """Follow the member's `Keep-Alive` field: hold no connection longer than it says."""
