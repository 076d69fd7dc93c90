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
    from adc.codecs.http1.outlet import Outlet
    from adc.codecs.http1.request_input import RequestInput

_MOST: Final = 64
"""How many connections wait at the most: it bounds what the first waits for the others, and what is held for them."""
HOLD_BYTES: Final = 16 << 10
"""What is larger than this never waits."""


class Batch:
    """What waits for the end of this turn of `loop`: requests and responses that arrived, and what is to be written."""

    __slots__ = (
        "_beginning",
        "_begun",
        "_outlets",
        "_requests",
        "_responses",
        "_running",
        "_scheduled",
        "loop",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._requests: list[RequestInput] = []
        self._begun: list[RequestInput] = []
        self._responses: list[ClientConnection] = []
        self._outlets: list[Outlet] = []
        self._scheduled = False
        self._running = False
        self._beginning = False

    def request_arrived(self, connection: RequestInput) -> None:
        """Bytes came from a client."""
        self._requests.append(connection)
        if len(self._requests) >= _MOST:
            self._run()
        elif not self._scheduled:
            self._schedule()

    def begun(self, connection: RequestInput) -> bool:
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

    def written(self, outlet: Outlet) -> None:
        """`outlet` holds something to be sent."""
        self._outlets.append(outlet)
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
        outlets, self._outlets = self._outlets, []
        for outlet in outlets:  # what one of these causes to be written waits for the next turn
            try:
                outlet.flush()
            except Exception as error:
                self._broke(outlet, error)

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

    def _broke(self, connection: RequestInput | ClientConnection | Outlet, error: Exception) -> None:
        """A defect of ours ends one connection, not the others; as loops have it when they call a protocol."""
        message = "a connection broke while it was served"
        self.loop.call_exception_handler({"message": message, "exception": error, "protocol": connection})
        connection.drop()
