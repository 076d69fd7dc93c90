"""aiosmtplib's protocol for one connection to a member, with back-pressure and strict pairing of replies."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiosmtplib import SMTPResponse, SMTPServerDisconnected
from aiosmtplib.protocol import SMTPProtocol

MOST_EARLY: Final = 64 << 10
"""Bytes of replies that a member may send before the replies in front of them are read."""


class MemberProtocol(SMTPProtocol):
    """Pairs commands with replies. aiosmtplib writes whole messages; `writable` lets content be sent in parts.

    aiosmtplib knows one command at a time. Replies to the further ones of a group (RFC 2920) wait in `_early`.

    `out_of_step` is set once the member has sent more than the replies that were due: the next command would be given
    one of them, so the connection is closed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.out_of_step = False
        self.lost = False
        self._due = 0
        self._early = b""
        self.writable = asyncio.Event()
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        waiter = self._response_waiter
        unsolicited = waiter is None or waiter.done() or not self._response_pending
        if not unsolicited:
            super().data_received(data)
            if waiter is None or not waiter.done() or not self._buffer:
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        self._early += data
        if not self._due or len(self._early) > MOST_EARLY:
            self.out_of_step = True
            self.abort()

    def write_group(self, data: bytes, count: int) -> None:
        """Send `count` commands, whose replies `read_reply` returns. Raises SMTPServerDisconnected."""
        self.write(data)
        self._due += count

    async def read_reply(self, timeout: float) -> SMTPResponse:
        """Return the next reply to a group of commands. Raises what `read_response` does."""
        self.expect()
        self._due -= 1
        early, self._early = self._early, b""
        if early:
            self.data_received(early)
        return await self.read_response(timeout)

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
