"""A file of users that is read again when it changes."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from adc.smtp.passwords import read_users

if TYPE_CHECKING:
    from adc.telemetry.error_log import ErrorLog

_LOOK_EVERY: Final = 1.0
"""Seconds between two checks of the file."""

_Signature = tuple[int, int, int] | None


class UsersFile:
    """Users by name, and the file that they were read from. Raises BadUsers, OSError.

    A change counts once two checks in a row find the same file, so that a half-written one is not read. A file that
    cannot be used changes nothing. Sessions that are authenticated already stay so.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._read = self._seen = _signature(path)
        self.users = read_users(path)
        self._look_at = 0.0
        self._reading: asyncio.Task[None] | None = None

    def tick(self, now: float, listener: str, error_log: ErrorLog) -> None:
        """Check the file if it is time."""
        if now < self._look_at or (self._reading is not None and not self._reading.done()):
            return
        self._look_at = now + _LOOK_EVERY
        before, self._seen = self._seen, _signature(self.path)
        if before == self._seen != self._read:
            self._read = self._seen
            self._reading = asyncio.get_running_loop().create_task(self._reload(listener, error_log))

    async def _reload(self, listener: str, error_log: ErrorLog) -> None:
        try:
            self.users = await asyncio.to_thread(read_users, self.path)
        except (OSError, ValueError) as error:
            error_log.error("smtp_users_not_reloaded", listener=listener, detail=str(error))
        else:
            error_log.info("smtp_users_reloaded", listener=listener, users=len(self.users))


def _signature(path: str) -> _Signature:
    """Return what changes with a file, None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
