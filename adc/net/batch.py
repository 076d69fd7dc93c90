"""One turn of the event loop, in stages: each stage for all connections before the next.

A busy loop hears of many connections in a turn. Were each served from its first byte to its last before the next,
every stage would find the processor's caches full of the other stages' code, and every write would wake up a peer
that has just gone to sleep (`docs/decisions/batches.md`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adc.codecs.http1.client import ClientConnection
    from adc.codecs.http1.request_reader import RequestReader
    from adc.net.batched_writer import BatchedWriter

_MOST: Final = 64
"""How many connections wait at the most: it bounds what the first waits for the others, and what is held for them."""
HOLD_BYTES: Final = 16 << 10
"""What is larger than this never waits."""


class Batch:
    """What waits for the end of this turn of `loop`: requests and responses that arrived, and what is to be written."""

    __slots__ = (
        "_beginning",
        "_begun",
        "_requests",
        "_responses",
        "_running",
        "_scheduled",
        "_writers",
        "loop",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._requests: list[RequestReader] = []
        self._begun: list[RequestReader] = []
        self._responses: list[ClientConnection] = []
        self._writers: list[BatchedWriter] = []
        self._scheduled = False
        self._running = False
        self._beginning = False

    def request_arrived(self, connection: RequestReader) -> None:
        """Bytes came from a client."""
        self._requests.append(connection)
        if len(self._requests) >= _MOST:
            self._run()
        elif not self._scheduled:
            self._schedule()

    def begun(self, connection: RequestReader) -> bool:
        """An exchange has begun; False if it is to start at once."""
        if self._beginning:
            self._begun.append(connection)
        return self._beginning

    def response_arrived(self, connection: ClientConnection) -> None:
        """Bytes came from a member."""
        self._responses.append(connection)
        if len(self._responses) >= _MOST:
            self._run()
        elif not self._scheduled:
            self._schedule()

    def written(self, writer: BatchedWriter) -> None:
        """`writer` holds something to be sent."""
        self._writers.append(writer)
        if not (self._running or self._scheduled):
            self._schedule()

    def _schedule(self) -> None:
        self._scheduled = True
        self.loop.call_soon(self._run)

    def _run(self) -> None:
        """At the end of the turn, or before it if many wait: then the end finds nothing, or what came since."""
        self._scheduled = False
        self._running = True
        try:
            if self._requests:
                self._serve_requests()
            if self._responses:
                self._serve_responses()
        finally:
            self._running = False
        writers, self._writers = self._writers, []
        for writer in writers:  # what one of these causes to be written waits for the next turn
            try:
                writer.flush()
            except Exception as error:
                self._broke(writer, error)

    def _serve_requests(self) -> None:
        arrived, self._requests = self._requests, []
        for connection in arrived:
            try:
                connection.parse_arrived()
            except Exception as error:
                self._broke(connection, error)
        self._beginning = True
        for connection in arrived:
            try:
                connection.begin_arrived()
            except Exception as error:
                self._broke(connection, error)
        self._beginning = False
        begun, self._begun = self._begun, []
        for connection in begun:
            try:
                connection.start_begun()
            except Exception as error:
                self._broke(connection, error)

    def _serve_responses(self) -> None:
        arrived, self._responses = self._responses, []
        for connection in arrived:
            try:
                connection.parse_arrived()
            except Exception as error:
                self._broke(connection, error)
        for connection in arrived:
            try:
                connection.deliver_arrived()
            except Exception as error:
                self._broke(connection, error)

    def _broke(self, connection: RequestReader | ClientConnection | BatchedWriter, error: Exception) -> None:
        """A defect of ours ends one connection, not the others; as loops have it when they call a protocol."""
        message = "a connection broke while it was served"
        self.loop.call_exception_handler({"message": message, "exception": error, "protocol": connection})
        connection.drop()
