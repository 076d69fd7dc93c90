"""Replies to connections over the limit of a listener, and closes them."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from adc.net.listener_state import ListenerState
from adc.smtp.replies import reply_of

FULL: Final = reply_of(421, "4.3.2 Too many connections, try again later")
_SECONDS: Final = 2.0


class ShedConnection(asyncio.Protocol):
    """Sends 421 in place of the greeting, and gives the client a moment to read it."""

    def __init__(self, state: ListenerState) -> None:
        self._state = state

    def connection_made(self, transport: Any) -> None:
        self._state.shedding += 1
        self._end = asyncio.get_running_loop().call_later(_SECONDS, transport.abort)
        transport.write(FULL.wire() + b"\r\n")
        transport.write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        self._state.shedding -= 1
