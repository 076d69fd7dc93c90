"""Small writes wait for the end of the loop's turn, and then go out together.

A turn of a busy loop reads from many connections. Were each answer written at once, each write would wake up a peer that has
just gone to sleep, and our code and the kernel's would push each other out of the processor's caches at every request
(`docs/decisions/hot-path.md`).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

_HOLD_BYTES: Final = 16 << 10
"""More than this is never held, or copied to be joined to what is."""
_MOST: Final = 64
"""How many connections wait at the most: it bounds what the first one waits for the others."""


class Outbox:
    """The connections of one event loop that hold something to be written when its turn ends."""

    __slots__ = ("_loop", "_scheduled", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._scheduled = False
        self._waiting: list[Outlet] = []

    def add(self, outlet: Outlet) -> None:
        """`outlet` holds something."""
        self._waiting.append(outlet)
        if len(self._waiting) >= _MOST:
            self._flush()
        elif not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn_over)

    def _turn_over(self) -> None:
        self._scheduled = False
        self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for outlet in waiting:
            outlet.flush()


class Outlet:
    """A transport whose small writes wait in an `Outbox`. Everything else that is asked of it comes after them."""

    __slots__ = ("_held", "_lost", "_outbox", "_transport")

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._held = b""
        self._lost = False
        self._transport: Any = None

    def opened(self, transport: Any) -> None:
        """The connection is open."""
        self._transport = transport

    def lost(self) -> None:
        """The connection is closed: nobody is there to take what is held, or what may come."""
        self._held = b""
        self._lost = True

    def write(self, data: bytes) -> None:
        held = self._held
        if len(held) + len(data) > _HOLD_BYTES:
            self.flush()
            self._transport.write(data)
        elif held:
            self._held = held + data
        elif data and not self._lost:
            self._held = data
            self._outbox.add(self)

    def writelines(self, parts: tuple[bytes, ...]) -> None:
        """Write several pieces without joining them."""
        if self._held:
            parts = (self._held, *parts)
            self._held = b""
        self._transport.writelines(parts)

    def flush(self) -> None:
        """Write what is held now."""
        held = self._held
        if held:
            self._held = b""
            self._transport.write(held)

    def can_write_eof(self) -> bool:
        return bool(self._transport.can_write_eof())

    def write_eof(self) -> None:
        self.flush()
        self._transport.write_eof()

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        self.flush()
        if self._transport is not None:
            self._transport.abort()

    def is_closing(self) -> bool:
        return bool(self._transport.is_closing())

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_extra_info(self, name: str) -> Any:
        return self._transport.get_extra_info(name)

    def get_write_buffer_size(self) -> int:
        """Bytes that the kernel has not taken yet."""
        self.flush()
        size: int = self._transport.get_write_buffer_size()
        return size
