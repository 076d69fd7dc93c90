"""How one listener accepts: the loop's own servers for plain HTTP, acceptors for what begins otherwise."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from adc.codecs.accept import Acceptor, Entrance
from adc.codecs.http1.server import ServerConnection

if TYPE_CHECKING:
    from adc.codecs.http1.settings import ServerSettings
    from adc.telemetry.error_log import ErrorLog

_LEAST_RESERVE = 16
_MOST_WAITING = 4096


class Accepting:
    """Accepts on the sockets of one listener, and pauses while descriptors are short.

    From the descriptor `settings.max_descriptor` on nothing is accepted, so that some are left for members, files and
    the other listeners; clients wait in the kernel's queue meanwhile.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: ServerSettings,
        failed: Callable[[str, str, str], None],
    ) -> None:
        self._loop = loop
        self._settings = settings
        self.entrance = Entrance(loop, settings, failed)
        settings.exhausted = self._pause
        settings.max_descriptor = last_descriptor()
        self._sockets: list[socket.socket] = []
        self._open: dict[socket.socket, tuple[socket.socket, asyncio.Server | Acceptor]] = {}
        self._direct = True
        self._changing = asyncio.Lock()
        self._resuming: asyncio.Task[None] | None = None
        self.paused = False
        self.pauses = 0
        self._pauses_told = 0

    async def follow(self, sockets: Sequence[socket.socket], direct: bool) -> None:
        """Accept on exactly these sockets, which stay the caller's; `direct` if connections begin with HTTP."""
        async with self._changing:
            for sock in [sock for sock in self._open if direct != self._direct or sock not in sockets]:
                own, acceptor = self._open.pop(sock)
                if sock not in sockets:
                    self._take_waiting(own)
                acceptor.close()
            self._sockets, self._direct = list(sockets), direct
            if not self.paused:
                await self._complete()

    async def _complete(self) -> None:
        for sock in self._sockets:
            if sock not in self._open:
                own = sock.dup()
                self._open[sock] = own, await self._accept(own)

    async def _accept(self, sock: socket.socket) -> asyncio.Server | Acceptor:
        if not self._direct or self.pauses:  # the loop's own server closes whom it has no descriptor for
            return Acceptor(self.entrance, sock)
        factory = partial(ServerConnection, self._settings)
        if sock.family == socket.AF_UNIX:
            return await self._loop.create_unix_server(factory, sock=sock)
        return await self._loop.create_server(factory, sock=sock)

    def close(self) -> None:
        """Accept no more than who waits already: the kernel resets them when the last socket closes."""
        self._sockets = []
        for own, _ in self._open.values():
            self._take_waiting(own)
        self._stop()

    def _take_waiting(self, own: socket.socket) -> None:
        for _ in range(_MOST_WAITING):
            try:
                sock, address = own.accept()
            except OSError:
                return
            sock.setblocking(False)
            self.entrance.take(sock, address)

    def _stop(self) -> None:
        while self._open:
            self._open.popitem()[1][1].close()

    def _pause(self) -> None:
        if not self.paused:
            self.paused = True
            self.pauses += 1
            self._stop()

    def tick(self, error_log: ErrorLog) -> None:
        """Accept again if there are descriptors again."""
        if not self.paused or (self._resuming is not None and not self._resuming.done()):
            return
        if _descriptors_left(self._settings.max_descriptor):
            self._resuming = self._loop.create_task(self._resume())
        elif self._pauses_told != self.pauses:
            self._pauses_told = self.pauses
            error_log.error("accept_paused", detail="file descriptors are short", pauses=self.pauses)

    async def _resume(self) -> None:
        async with self._changing:
            self.paused = False
            await self._complete()


def last_descriptor() -> int:
    """The descriptor from which on nothing is accepted: seven eighths of the limit of the process."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 1 << 30
    return soft - max(_LEAST_RESERVE, soft // 8)


def _descriptors_left(limit: int) -> bool:
    """Whether the lowest free descriptor is well under `limit`."""
    try:
        number = os.dup(0)
    except OSError:
        return False
    os.close(number)
    return number < limit - limit // 16
