"""What all connections of one listener share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adc.codecs.http1.request_head import Refused
from adc.http.message import Request, Response

if TYPE_CHECKING:
    from adc.codecs.http1.server import ServerConnection
    from adc.codecs.interface import RequestReceiver, Stream
    from adc.net.batch import Batch
    from adc.net.clock import Clock
    from adc.net.sources import SourceLimit

Exchange = Callable[["Stream", Request], "RequestReceiver"]


class ServerSettings:
    """Limits (bytes, counts), time limits (seconds) and the doors to the proxy of one HTTP listener.

    A reload changes these attributes in place, so that open connections follow it. `exchange` begins one for a
    request, `refused` gives the response to what never became a request, `identify` derives the
    client's address from forwarding fields and may raise `Refused`, None if there is nothing to derive. `connections`
    holds every open one. `scheme` is what new connections speak, `draining` says that there are no new ones: open ones
    of another scheme, or of a listener that drains, close after their next response. `strict_transport` is the value
    of Strict-Transport-Security for responses over TLS, b"" for none; `max_requests`
    are those of a connection, 0 for any number.
    """

    def __init__(
        self,
        batch: Batch,
        clock: Clock,
        exchange: Exchange,
        refused: Callable[[ServerConnection, Refused], tuple[Response, bytes]],
    ) -> None:
        self.batch = batch
        self.loop = batch.loop
        self.clock = clock
        self.exchange = exchange
        self.refused = refused
        self.identify: Callable[[Request, ServerConnection], None] | None = None
        self.head_timeout = 10.0
        self.keep_alive = 75.0
        self.half_closed = 5.0
        self.header_bytes = 32 << 10
        self.header_count = 100
        self.target_bytes = 8 << 10
        self.max_connections = 20000
        self.max_requests = 0
        self.sources: SourceLimit | None = None
        self.strict_transport = b""
        self.scheme = "http"
        self.draining = False
        self.connections: set[ServerConnection] = set()
        self.accepted = 0
        self.rejected = 0
        self.shedding = 0

    @property
    def field_bytes(self) -> int:
        """Limit of one field; never equal to `target_bytes`, because the parser's error only tells the number."""
        return self.header_bytes + (self.header_bytes == self.target_bytes)

    def opened(self, connection: ServerConnection) -> bool:
        """Count a new connection; False if its source has too many."""
        self.accepted += 1
        sources = self.sources
        if sources is not None and not sources.admit(connection.peer):
            self.rejected += 1
            return False
        self.connections.add(connection)
        return True

    def closed(self, connection: ServerConnection) -> None:
        """Forget a connection."""
        if connection in self.connections:
            self.connections.remove(connection)
            if self.sources is not None:
                self.sources.leave(connection.peer)

    def check_head(self, message: Any) -> None:
        """Raise `Refused` if the head is over `header_bytes`; asked only when the read was that large."""
        size = sum(len(name) + len(value) + 4 for name, value in message.raw_headers)
        if size > self.header_bytes:
            raise Refused(431, "limit_head", f"the header block is over {self.header_bytes} bytes")
