"""Files to a client without reading them: the kernel moves the bytes (sendfile), past the connection's transport."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any


class FileOutput:
    """Sends parts of files on a plain connection. The opener closes it, before the connection ends.

    `writable` is called once after each `wait`, when the client accepts more. The descriptor is a copy of the
    connection's, because a loop does not let others watch the descriptor of a transport.
    """

    __slots__ = ("_descriptor", "_loop", "_transport", "_waiting", "_watching", "_writable")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: Any,
        descriptor: int,
        writable: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._descriptor = descriptor
        self._writable = writable
        self._waiting = False
        self._watching = False

    def send(self, file: int, offset: int, count: int) -> int:
        """Send up to `count` bytes of the open file `file`; how many were taken.

        0 while the client takes nothing, as long as the transport holds what was written before, and once the
        connection is lost. Raises OSError if the file cannot be read or ends before `offset`.
        """
        transport = self._transport
        if transport.is_closing() or transport.get_write_buffer_size():
            return 0
        try:
            sent = os.sendfile(self._descriptor, file, offset, count)
        except BlockingIOError:
            return 0
        except (ConnectionError, TimeoutError):  # the transport notifies its protocol
            transport.abort()
            return 0
        if not sent:
            raise OSError("the file is shorter than it was")
        return sent

    def wait(self) -> None:
        """Ask for `writable`, in a later turn of the loop."""
        self._waiting = True
        if not self._watching:
            self._watching = True
            self._loop.add_writer(self._descriptor, self._ready)

    def close(self) -> None:
        """Stop sending this way; the connection stays open."""
        if self._descriptor >= 0:
            self._ignore()
            os.close(self._descriptor)
            self._descriptor = -1

    def _ready(self) -> None:
        self._waiting = False
        self._writable()
        if not self._waiting:
            self._ignore()

    def _ignore(self) -> None:
        self._waiting = False
        if self._watching:
            self._watching = False
            self._loop.remove_writer(self._descriptor)


def open_output(
    loop: asyncio.AbstractEventLoop, transport: Any, writable: Callable[[], None]
) -> FileOutput | None:
    """Return a `FileOutput` for the connection of `transport`, None if there is no descriptor to be had."""
    if transport.is_closing():
        return None
    try:
        descriptor = os.dup(transport.get_extra_info("socket").fileno())
    except OSError:
        return None
    return FileOutput(loop, transport, descriptor, writable)
