"""Limits of HTTP/1.1 and the doors to the proxy, shared by all connections of one listener."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from adc.codecs.http1.parsed_head import ParsedHead
from adc.codecs.http1.request_head import Refused
from adc.http.message import Request, Response

if TYPE_CHECKING:
    from adc.codecs.interface import RequestReceiver, Stream
    from adc.http.client import Client
    from adc.net.batch import Batch
    from adc.net.clock import Clock
    from adc.net.listener_state import ListenerState

Exchange = Callable[["Stream", Request], "RequestReceiver"]


class Http1Settings:
    """Limits (bytes, counts), timeouts (seconds) and the doors to the proxy of one HTTP listener.

    A reload changes these attributes in place, so that open connections follow it. `exchange` begins an exchange for a
    request, `refused` returns the response to a message that never became a request, `identify` derives the request's
    `source` and scheme from forwarding fields and may raise `Refused`; None if there is nothing to derive.
    `strict_transport` is the value of Strict-Transport-Security for responses over TLS, b"" for none; `max_requests`
    bounds the requests of a connection, 0 for any number.
    """

    def __init__(
        self,
        listener: ListenerState,
        batch: Batch,
        clock: Clock,
        exchange: Exchange,
        refused: Callable[[Client, Refused], tuple[Response, bytes]],
    ) -> None:
        self.listener = listener
        self.batch = batch
        self.loop = batch.loop
        self.clock = clock
        self.exchange = exchange
        self.refused = refused
        self.identify: Callable[[Request], None] | None = None
        self.head_timeout = 10.0
        self.keep_alive = 75.0
        self.half_closed = 5.0
        self.header_bytes = 32 << 10
        self.header_count = 100
        self.target_bytes = 8 << 10
        self.max_requests = 0
        self.strict_transport = b""

    @property
    def field_bytes(self) -> int:
        """Limit of one field; never equal to `target_bytes`, because the parser's error only tells the number."""
        return self.header_bytes + (self.header_bytes == self.target_bytes)

    def check_head(self, head: ParsedHead) -> None:
        """Raise `Refused` if the head is over `header_bytes`; asked only when the read was that large."""
        size = sum(len(name) + len(value) + 4 for name, value in head.lines)
        if size > self.header_bytes:
            raise Refused(431, "limit_head", f"the header block is over {self.header_bytes} bytes")
