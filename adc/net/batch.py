"""One iteration of the event loop, in stages: each stage for all connections before the next.

A busy loop reads from many connections in an iteration. Were each served from its first byte to its last before the
next, every stage would find the processor's caches full of the other stages' code, and every write would wake up a peer
that has just gone to sleep (`docs/decisions/batches.md`). Nothing here knows the protocol that a connection carries.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Final, Protocol

_MOST: Final = 64
"""Most connections that wait: it bounds the delay of the first one, and what is buffered for all."""
ALONE: Final = 16
"""Batches of one connection in a row after which connections do not wait for others."""
AT_ONCE: Final = 256
"""Connections served without waiting, until the next batch tells whether there are others."""
HOLD_BYTES: Final = 16 << 10
"""Data larger than this never waits."""


class Starting(Protocol):
    """An exchange that has begun, with all of its request here but its content, of which it has none."""

    def start(self, body: bytes, end: bool) -> None:
        """Start, with the first of the request content; `end` if that is all."""


class BatchedReader(asyncio.Protocol):
    """A connection whose small reads wait for the end of the loop iteration."""

    __slots__ = ()

    @abstractmethod
    def parse_arrived(self) -> None:
        """Parse what arrived, without consequences for anything else."""

    @abstractmethod
    def deliver_arrived(self) -> None:
        """Deliver what was parsed: begin exchanges (`Batch.begun`), or pass content on."""

    @abstractmethod
    def drop(self) -> None:
        """Close at once."""


class BatchedOutput:
    """The writing end of a connection, whose small writes wait for the end of the loop iteration."""

    __slots__ = ()

    @abstractmethod
    def flush(self) -> None:
        """Write what is buffered."""

    @abstractmethod
    def drop(self) -> None:
        """Close at once."""


class Batch:
    """Work that waits for the end of this iteration of `loop`: received requests and responses, exchanges to start,
    and buffered writes. One connection may begin many exchanges.

    Waiting is useless without others to wait for. After `ALONE` batches of one connection, the next `AT_ONCE` reads
    are served as they arrive.
    """

    __slots__ = (
        "_alone",
        "_at_once",
        "_beginning",
        "_begun",
        "_openers",
        "_requests",
        "_responses",
        "_running",
        "_scheduled",
        "_writers",
        "loop",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._requests: list[BatchedReader] = []
        self._begun: list[Starting] = []
        self._openers: list[BatchedReader] = []
        self._responses: list[BatchedReader] = []
        self._writers: list[BatchedOutput] = []
        self._scheduled = False
        self._running = False
        self._beginning = False
        self._alone = 0
        self._at_once = 0

    def request_arrived(self, connection: BatchedReader) -> None:
        """Called when bytes have arrived from a client."""
        self._requests.append(connection)
        if self._scheduled or self._running or not self._at_once:
            if len(self._requests) >= _MOST:
                self._run()
            elif not self._scheduled:
                self._schedule()
        else:
            self._at_once -= 1
            self._run()

    def begun(self, exchange: Starting, connection: BatchedReader) -> bool:
        """Start `exchange` of `connection` after all others have begun; False if it is to start at once."""
        if self._beginning:
            self._begun.append(exchange)
            self._openers.append(connection)
        return self._beginning

    def response_arrived(self, connection: BatchedReader) -> None:
        """Called when bytes have arrived from a member."""
        self._responses.append(connection)
        if self._scheduled or self._running or not self._at_once:
            if len(self._responses) >= _MOST:
                self._run()
            elif not self._scheduled:
                self._schedule()
        else:
            self._at_once -= 1
            self._run()

    def written(self, writer: BatchedOutput) -> None:
        """Called when `writer` has buffered something."""
        self._writers.append(writer)
        if not (self._running or self._scheduled):
            self._schedule()

    def _schedule(self) -> None:
        self._scheduled = True
        self.loop.call_soon(self._end_iteration)

    def _end_iteration(self) -> None:
        waiting = len(self._requests) + len(self._responses)
        if waiting > 1:
            self._alone = self._at_once = 0
        elif waiting:
            self._alone += 1
            if self._alone >= ALONE:
                self._alone = 0
                self._at_once = AT_ONCE
        self._run()

    def _run(self) -> None:
        """Run at the end of the iteration, or before it if many wait or none is expected to."""
        self._scheduled = False
        self._running = True
        try:
            if self._requests:
                self._serve_requests()
            if self._responses:
                arrived, self._responses = self._responses, []
                self._read(arrived)
        finally:
            self._running = False
        writers, self._writers = self._writers, []
        for writer in writers:  # what one of these causes to be written waits for the next iteration
            try:
                writer.flush()
            except Exception as error:
                self._report(writer, error)
                writer.drop()

    def _serve_requests(self) -> None:
        arrived, self._requests = self._requests, []
        self._beginning = True
        self._read(arrived)
        self._beginning = False
        begun, self._begun = self._begun, []
        openers, self._openers = self._openers, []
        for number, exchange in enumerate(begun):
            try:
                exchange.start(b"", True)
            except Exception as error:
                self._report(openers[number], error)
                openers[number].drop()

    def _read(self, arrived: list[BatchedReader]) -> None:
        for connection in arrived:
            try:
                connection.parse_arrived()
            except Exception as error:
                self._report(connection, error)
                connection.drop()
        for connection in arrived:
            try:
                connection.deliver_arrived()
            except Exception as error:
                self._report(connection, error)
                connection.drop()

    def _report(self, connection: BatchedReader | BatchedOutput, error: Exception) -> None:
        """Report a defect of adc like loops do when a protocol raises: it ends one connection, not the others."""
        message = "a connection broke while it was served"
        self.loop.call_exception_handler({"message": message, "exception": error, "protocol": connection})
