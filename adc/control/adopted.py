"""Reaps children that this process did not start: descendants whose parent has ended.

The supervisor adopts them as the subreaper of its workers, or as process 1 of a container. A child that it did start
is waited for as soon as it ends; a zombie that two looks find is nobody's.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

LOOK_SECONDS = 1.0
"""Seconds between two looks."""

_CHILDREN = Path("/proc/thread-self/children")


class Reaper:
    """Finds zombies among the children of this process's main thread, which runs it."""

    def __init__(self) -> None:
        self._suspects: set[int] = set()

    def look(self) -> None:
        """Reap the zombies that the last look found too. No-op if the kernel does not list children."""
        try:
            children = list(map(int, _CHILDREN.read_text(encoding="ascii").split()))
        except OSError:
            return
        zombies = {pid for pid in children if _has_ended(pid)}
        for pid in zombies & self._suspects:
            os.waitpid(pid, os.WNOHANG)
        self._suspects = zombies - self._suspects


def keep_reaping(loop: asyncio.AbstractEventLoop, reaper: Reaper | None = None) -> None:
    """Look now, and then every LOOK_SECONDS."""
    reaper = Reaper() if reaper is None else reaper
    reaper.look()
    loop.call_later(LOOK_SECONDS, keep_reaping, loop, reaper)


def _has_ended(pid: int) -> bool:
    """True if the child `pid` is a zombie, which it stays."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False
