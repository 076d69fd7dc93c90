"""Files that a plugin reads again when they change."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from pathlib import Path
from typing import Protocol

from adc.plugin.background import Background

INTERVAL = 1.0
"""Seconds between two checks."""

OnChange = Callable[[], object] | Callable[[], Awaitable[object]]
Mark = tuple[int, int, int]


class Sleeper(Protocol):
    """A clock that wakes its caller."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""


class _File:
    """A file, and its time, size and inode when it was last seen; None: there was no file."""

    __slots__ = ("mark", "on_change", "path")

    def __init__(self, path: Path, on_change: OnChange) -> None:
        self.path = path
        self.on_change = on_change
        self.mark = _mark(path)


class WatchedFiles:
    """Calls the readers of files that have changed. One task checks all files of a plugin; each reader runs in a task,
    so that one that fails or overruns ends no other. `failed` gets the reason and detail of an OSError or ValueError.
    """

    def __init__(self, background: Background, clock: Sleeper, failed: Callable[[str, str], None]) -> None:
        self._background = background
        self._clock = clock
        self._failed = failed
        self._files: list[_File] = []

    def add(self, path: Path, on_change: OnChange) -> None:
        """Call `on_change` each time the file differs from what it was before."""
        self._files.append(_File(path, on_change))
        if len(self._files) == 1:
            self._background.spawn(self._check())

    async def _check(self) -> None:
        while True:
            await self._clock.sleep(INTERVAL)
            for file in self._files:
                mark = _mark(file.path)
                if mark is not None and mark != file.mark:
                    file.mark = mark
                    await asyncio.wait([self._background.spawn(self._read(file))])

    async def _read(self, file: _File) -> None:
        try:
            result = file.on_change()
            if isawaitable(result):
                await result
        except (OSError, ValueError) as error:
            self._failed("error", f"{file.path} was not loaded, its previous content stays in use: {error}")


def _mark(path: Path) -> Mark | None:
    try:
        found = os.stat(path)
    except OSError:
        return None  # gone, or being replaced: what was read stays
    return found.st_mtime_ns, found.st_size, found.st_ino
