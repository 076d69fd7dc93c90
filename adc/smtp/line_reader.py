"""The bytes of a client: command lines one at a time, or content as it comes, with bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

MOST_BUFFERED: Final = 64 << 10
"""Bytes above which the socket is not read; one read of the loop may come on top."""


class SessionEnded(ConnectionResetError):
    """The client closed its end, or sent what ends the session. aiosmtpd's loop lets this error pass."""


_FOREIGN: Final = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"CONNECT ", b"DELETE ", b"PATCH ")
"""Requests of browsers that a page made send mail: their header fields would be read as commands."""


class LineReader(asyncio.StreamReader):
    """What aiosmtpd reads from, strict about line ends. Has a buffer of its own, to which bytes can be given back.

    `refused(reason)` is called for a line that ends the session, because other servers read it in another way.
    """

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop, refused: Callable[[str], None]) -> None:
        super().__init__(limit, loop)
        self._most = limit
        self._events = loop
        self._refused = refused
        self._data = bytearray()
        self._over = False
        self._waiting: asyncio.Future[None] | None = None
        self._source: Any = None
        self._paused = False

    def set_transport(self, transport: asyncio.BaseTransport) -> None:
        self._source = transport
        self._paused = False

    def feed_data(self, data: Any) -> None:
        self._data += data
        self._wake()
        if len(self._data) > MOST_BUFFERED and not self._paused and not self._source.is_closing():
            self._source.pause_reading()
            self._paused = True

    def feed_eof(self) -> None:
        self._over = True
        self._wake()

    def set_exception(self, exc: Any) -> None:
        self.feed_eof()

    def at_eof(self) -> bool:
        return self._over and not self._data

    @property
    def buffered(self) -> int:
        """The number of bytes that wait to be read."""
        return len(self._data)

    @property
    def has_line(self) -> bool:
        """True if a whole line waits to be read."""
        return b"\n" in self._data

    @property
    def may_conclude(self) -> bool:
        """True if the end of a message, or QUIT, may be among the bytes that wait to be read."""
        return b".\r\n" in self._data or b"QUIT" in self._data.upper()

    @property
    def over(self) -> bool:
        """True if the client has closed its half."""
        return self._over

    def drop(self) -> None:
        """Drop what was received, and read on."""
        self._data.clear()
        self._resume()

    def ahead(self, word: bytes, most: int) -> Iterator[bytes]:
        """Yield the commands `word` at the beginning of what waits to be read, without their ends, at most `most`."""
        start = 0
        for _ in range(most):
            end = self._data.find(b"\r\n", start)
            line = bytes(self._data[start:end])
            if end < 0 or line[: len(word)].upper() != word or b"\n" in line or b"\0" in line:
                return
            yield line
            start = end + 2

    def give_back(self, data: bytes) -> None:
        """Put bytes back in front of the others."""
        self._data[:0] = data

    async def readuntil(self, separator: Any = b"\n") -> bytes:
        """Return one line with its end. Raises SessionEnded, LimitOverrunError."""
        searched = 0
        while True:
            end = self._data.find(b"\n", searched)
            if 0 <= end <= self._most:
                return self._strict(self._took(end + 1))
            if len(self._data) > self._most:
                raise asyncio.LimitOverrunError("line too long", self._most)
            if self._over:
                raise SessionEnded("the client closed the connection")
            searched = len(self._data)
            await self._more()

    async def readline(self) -> bytes:
        """Return one line with its end; a line over the limit ends the session."""
        try:
            return await self.readuntil()
        except asyncio.LimitOverrunError:
            raise self._refusal("line_length") from None

    async def read(self, n: int = -1) -> bytes:
        """Return what there is, at most `n` bytes; waits for at least one. Raises SessionEnded."""
        while not self._data:
            if self._over:
                raise SessionEnded("the client closed the connection")
            await self._more()
        return self._took(len(self._data) if n < 0 else min(n, len(self._data)))

    def _took(self, count: int) -> bytes:
        data = bytes(self._data[:count])
        del self._data[:count]
        if len(self._data) <= MOST_BUFFERED // 2:
            self._resume()
        return data

    def _resume(self) -> None:
        if self._paused and not self._source.is_closing():
            self._paused = False
            self._source.resume_reading()

    def _strict(self, line: bytes) -> bytes:
        if not line.endswith(b"\r\n") or line.count(b"\r") != 1:
            raise self._refusal("bare_newline")
        if b"\0" in line:
            raise self._refusal("nul")
        if line[:8].upper().startswith(_FOREIGN):
            raise self._refusal("http")
        if line[:5].upper() == b"BDAT ":  # what follows is content, which would be read as commands
            raise self._refusal("chunking")
        return line

    def _refusal(self, reason: str) -> SessionEnded:
        self._refused(reason)
        return SessionEnded(reason)

    async def _more(self) -> None:
        self._waiting = self._events.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
