"""The store that all workers of a machine share: one LMDB file on tmpfs or disk.

Every process opens the file for itself (never carry an open store over a fork). A killed process leaves the
tables readable: LMDB's lock is robust and its pages are never overwritten in place. Writes are not forced to
disk one by one; after a power loss the file is replaced by an empty one (see `local_file`).
"""

from __future__ import annotations

import logging
from pathlib import Path

import lmdb

from adc.state.interface import Merge, Status
from adc.state.journal import Journal
from adc.state.local_file import close_file, open_file
from adc.state.local_table import LocalTable

_CHECK_EVERY = 256
SMALLEST_MAP = 16 << 20
_CROWDED = 0.75
_READERS_EVERY = 10.0

log = logging.getLogger("adc.state")


class LocalStore:
    """A `Store` in `folder`, at most `map_size` bytes (and no less than SMALLEST_MAP, which
    the reserve for deleting needs). Raises OSError if the folder cannot be used."""

    def __init__(self, folder: Path, map_size: int = 4 << 30) -> None:
        map_size = max(map_size, SMALLEST_MAP)
        self._file = open_file(folder, map_size)
        self.environment = self._file.environment
        self.versions = self._file.versions
        self.journal = Journal(self.environment)
        self._pages = map_size // self.environment.stat()["psize"]
        self._tables: dict[str, LocalTable] = {}
        self._status = Status()
        self._until_check = _CHECK_EVERY
        self._crowded = False
        self._readers_checked = 0.0

    def table(self, name: str, size: int, merge: Merge | None = None) -> LocalTable:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = LocalTable(self, name)
        table.size, table.merge = size, merge
        return table

    def status(self) -> Status:
        return self._status

    def tick(self, now: float, budget: int = 2000) -> int:
        share = max(1, budget // max(1, len(self._tables)))
        dropped = 0
        try:
            dropped = sum(table.reap(now, share) for table in self._tables.values())
            self.journal.deliver(now)
            if now - self._readers_checked > _READERS_EVERY:
                self._readers_checked = now
                self.environment.reader_check()
        except lmdb.Error as error:
            self.failed(error, now)
        return dropped

    async def start(self) -> None:
        """The file is open since the store was made."""

    async def close(self) -> None:
        close_file(self._file)

    def failed(self, error: lmdb.Error, now: float) -> None:
        """An operation did not go through: full, or damaged. The tables serve on with what can be read."""
        reason = f"{type(error).__name__}: {error}"
        if not self._status.degraded:
            log.error("state file: %s", reason)
            self._status = Status(True, reason, now)

    def worked(self) -> None:
        """A write went through."""
        if self._status.degraded:
            log.info("state file: works again")
            self._status = Status()

    def crowded(self) -> bool:
        """Whether the file is so full that a new entry must displace old ones. LMDB needs free pages even to
        delete, so this speaks up well before the map is full."""
        self._until_check -= 1
        if self._until_check < 0:
            self._until_check = _CHECK_EVERY
            self._crowded = self.environment.info()["last_pgno"] > self._pages * _CROWDED
        return self._crowded
