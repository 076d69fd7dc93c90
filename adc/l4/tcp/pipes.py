"""Pipes for splice: through one, the kernel moves bytes between two sockets without showing them to adc."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import Final

PIPE_BYTES: Final = 256 << 10
"""Size that each pipe is asked to have: what one splice can move at most."""

MOST: Final = 256
"""Pipes of a worker; flows beyond copy their bytes."""

KEPT: Final = 32
"""Pipes without a flow that stay open."""


class Pipe:
    """One pipe, which holds `count` bytes."""

    __slots__ = ("count", "reader", "writer")

    def __init__(self, reader: int, writer: int) -> None:
        self.reader = reader
        self.writer = writer
        self.count: int = 0

    def close(self) -> None:
        """Close both ends."""
        os.close(self.reader)
        os.close(self.writer)


class PipePool:
    """Pipes in use and free. A flow has one per direction, and only while it holds bytes."""

    def __init__(self, most: int = MOST, kept: int = KEPT) -> None:
        self._free: list[Pipe] = []
        self._most = most
        self._kept = kept
        self.used: int = 0

    def take(self) -> Pipe | None:
        """Return an empty pipe; None if there are too many, or no descriptor is left."""
        if self._free:
            self.used += 1
            return self._free.pop()
        if self.used >= self._most:
            return None
        try:
            reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        with suppress(OSError):  # the user has too many large pipes; this one keeps its usual size
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.used += 1
        return Pipe(reader, writer)

    def give_back(self, pipe: Pipe) -> None:
        """Return a pipe to the pool; it is closed if it holds bytes."""
        self.used -= 1
        if pipe.count or len(self._free) >= self._kept:
            pipe.close()
        else:
            self._free.append(pipe)

    def close(self) -> None:
        """Close the free pipes."""
        while self._free:
            self._free.pop().close()
