"""aiosmtplib's protocol for one connection to a member, with back-pressure and strict pairing of replies."""

from __future__ import annotations

import asyncio
from typing import Any

from aiosmtplib import SMTPResponse, SMTPServerDisconnected
from aiosmtplib.protocol import SMTPProtocol


class MemberProtocol(SMTPProtocol):
    """Pairs commands with replies. aiosmtplib writes whole messages; `writable` lets content be sent in parts.

    `out_of_step` is set once the member has sent more than the reply that was due: the next command would be given
    that reply, so the connection is closed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.out_of_step = False
        self.lost = False
        self.writable = asyncio.Event()
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        waiter = self._response_waiter
        unsolicited = waiter is None or waiter.done() or not self._response_pending
        super().data_received(data)
        if unsolicited or (waiter is not None and waiter.done() and self._buffer):
            self.out_of_step = True
            self.abort()

    def write(self, data: bytes) -> None:
        """Send bytes. Raises SMTPServerDisconnected."""
        try:
            super().write(data)
        except RuntimeError as error:  # uvloop's word for a transport whose dialing was cancelled
            raise SMTPServerDisconnected(str(error)) from None

    def expect(self) -> asyncio.Future[SMTPResponse]:
        """Return the next reply, which may come from now on: it is taken for one to what is written meanwhile.

        `read_response` returns it too. Raises SMTPServerDisconnected.
        """
        if self._response_waiter is None:
            raise SMTPServerDisconnected("Connection lost")
        self._response_pending = True
        return self._response_waiter

    def pause_writing(self) -> None:
        super().pause_writing()
        self.writable.clear()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.writable.set()
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close the connection without another word."""
        transport: Any = self.transport
        if transport is not None:
            transport.abort()
