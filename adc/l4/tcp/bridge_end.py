"""One end of a flow with TLS: a transport of the loop, and its backpressure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from adc.net.tcp_options import close_by_reset, close_silently

if TYPE_CHECKING:
    from adc.l4.tcp.bridge import BridgeFlow

BUFFER: Final = 64 << 10
"""Bytes that wait for a slow end before the other one is not read any more."""


class BridgeEnd(asyncio.Protocol):
    """One end of a bridge; what it receives goes to `other`, which pauses it while it is slow."""

    def __init__(self, flow: BridgeFlow, is_client: bool) -> None:
        self.flow = flow
        self.is_client = is_client
        self.transport: Any = None
        self.other: BridgeEnd | None = None
        self.lost = False
        self.ended = False
        """The end has closed its half before the ends were joined."""
        self.early: list[bytes] = []
        """Bytes that came before the ends were joined; a transport that has brought more than BUFFER is paused."""
        self.early_bytes = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.set_write_buffer_limits(BUFFER)
        self.flow.opened_end(self)

    def data_received(self, data: bytes) -> None:
        self.flow.received(self, data)

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.pause()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.resume()

    def ready(self, events: int) -> None:
        """Called by the reactor while the client waits for a member."""
        if self.other is None and not self.flow.over:
            self.flow.client_leaves(events)

    def eof_received(self) -> bool:
        return self.flow.half_closed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.flow.lost_end(self, exc)

    def pause(self) -> None:
        """Read no more for now."""
        if not self.lost and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if not self.lost and not self.transport.is_closing():
            self.transport.resume_reading()

    @property
    def sock(self) -> Any:
        """The socket below the transport."""
        return self.transport.get_extra_info("socket")

    def close(self, *, resets: bool, silently: bool = False) -> None:
        """Close at once: by RST if `resets`, without a packet if `silently`."""
        if self.transport is None or self.lost:
            return
        if resets:
            close_by_reset(self.sock)
        elif silently:
            close_silently(self.sock)
        self.transport.abort()
