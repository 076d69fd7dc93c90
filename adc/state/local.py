"""The store that all workers of a machine share: one LMDB file on tmpfs or disk.

Every process opens the file for itself (never carry an open store over a fork). A killed process leaves the tables
readable: LMDB's lock is robust and its pages are never overwritten in place. Writes are not forced to disk one by one;
after a power loss the file is replaced by an empty one (see `local_file`).

The file may be full, read-only, damaged or missing at any time. Then each process continues with the entries that it
can read and keeps new ones in its memory, until the file can be written again or was recreated.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable
from pathlib import Path

import lmdb

from adc.state.interface import Merge, Status
from adc.state.journal import Journal
from adc.state.local_file import LocalFile, close_file, make_folder, open_file, still_there
from adc.state.local_table import LocalTable
from adc.state.sizing import FILL_SHARE, SMALLEST_SIZE
from adc.state.table_file import names_of_tables
from adc.state.versions import GROUPS
from adc.telemetry.event_log import EventLog

_CHECK_EVERY = 64
_MAP_FACTOR = 2
"""The map is larger than the size, so that a reader that hangs, and keeps old pages from being used again, does not
fill it soon."""
_READERS_EVERY = 10.0
_LOOK_EVERY = 1.0
_LOG_EVERY = 10.0
_LOG_CROWDED_EVERY = 600.0
_UNUSABLE = (PermissionError, NotADirectoryError, FileExistsError)
"""Errors that do not pass by themselves."""
_DAMAGED = (
    lmdb.CorruptedError,
    lmdb.InvalidError,
    lmdb.PageNotFoundError,
    lmdb.VersionMismatchError,
    lmdb.ProblemError,
)

log = EventLog("adc.state")


class LocalStore:
    """A `Store` in `folder`, about `map_size` bytes at most (and no less than SMALLEST_SIZE).

    `make` creates the folder, also when it is missing later, and raises OSError. Raises OSError if the folder is
    permanently unusable; otherwise the store begins degraded.
    """

    def __init__(
        self, folder: Path, map_size: int = 4 << 30, make: Callable[[Path], None] = make_folder
    ) -> None:
        self.folder = folder
        self._make = make
        self.size = max(map_size, SMALLEST_SIZE)
        self.versions: memoryview | array[int] = array("Q", bytes(8 * GROUPS))
        self.journal = Journal()
        self._file: LocalFile | None = None
        self._tables: dict[str, LocalTable] = {}
        self._status = Status()
        self._damaged = self._stale = False
        self._bad = 0
        self._until_check = 0
        self._crowded = False
        self._crowded_logged = self._logged = self._looked = self._readers_checked = 0.0
        try:
            self._open()
        except _UNUSABLE:
            raise
        except OSError as error:
            self._degrade(str(error), 0.0)

    @property
    def environment(self) -> lmdb.Environment:
        """The open file. Raises lmdb.Error if there is none."""
        if self._file is None:
            raise lmdb.Error("the state file is not open")
        return self._file.environment

    def table(self, name: str, size: int, merge: Merge | None = None) -> LocalTable:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = LocalTable(self, name)
            self._attach(table)
        table.size, table.merge = size, merge
        return table

    def resize(self, size: int) -> None:
        """Take `size` bytes at most from now on. Call it outside of transactions."""
        self.size = max(size, SMALLEST_SIZE)
        self._until_check = 0
        if self._file is not None:
            wanted = self.size * _MAP_FACTOR
            if wanted > self._file.environment.info()["map_size"]:
                self._file.environment.set_mapsize(wanted)

    def status(self) -> Status:
        return self._status

    def tick(self, now: float, budget: int = 2000) -> int:
        if not 0 <= now - self._looked < _LOOK_EVERY:
            self._looked = now
            self._look_after(now)
        share = max(1, budget // max(1, len(self._tables)))
        dropped = 0
        if not self._status.degraded:
            for table in self._tables.values():
                table.bring_back(now)
        try:
            dropped = sum(table.reap(now, share) for table in self._tables.values())
            self.journal.deliver(now)
            if not 0 <= now - self._readers_checked < _READERS_EVERY:
                self._readers_checked = now
                self.environment.reader_check()
        except lmdb.Error as error:
            self.failed(error, now)
        return dropped

    def start(self) -> None:
        """No-op: the file is open since the store was made."""

    async def close(self) -> None:
        self._close()

    def begin(self, database: lmdb._Database | None, *, write: bool = False) -> lmdb.Transaction[bytes]:
        """Begin a transaction on one database. Raises lmdb.Error."""
        file = self._file
        if file is None or database is None:
            raise lmdb.Error("the state file is not open")
        try:
            return file.environment.begin(database, write=write)
        except lmdb.MapResizedError:  # another process needed a larger map
            file.environment.set_mapsize(0)
            return file.environment.begin(database, write=write)

    def failed(self, error: lmdb.Error, now: float) -> None:
        """Note that an operation failed. The tables continue with the entries that can be read."""
        self._damaged = self._damaged or isinstance(error, _DAMAGED)
        self._stale = self._stale or isinstance(error, lmdb.PanicError)
        if self._file is not None:
            self._degrade(self._reason(error), now)

    def worked(self, now: float) -> None:
        """Note a successful write."""
        if self._status.degraded:
            self._status = Status()
            if self._may_log(now):
                log.info("state_writable", path=self.folder)

    def make_room(self, now: float) -> bool:
        """Reclaim the pages of dead readers, because the map is full. True if another attempt is worthwhile."""
        try:
            return self.environment.reader_check() > 0
        except lmdb.Error as error:
            self.failed(error, now)
            return False

    def crowded(self, transaction: lmdb.Transaction, now: float) -> bool:
        """True if the tables fill so much of the size that a new entry must displace old ones."""
        self._until_check -= 1
        if self._until_check < 0:
            used = self._bytes_used(transaction)
            self._crowded = used > self.size * FILL_SHARE
            self._until_check = 0 if self._crowded else _CHECK_EVERY
            if self._crowded and not 0 <= now - self._crowded_logged < _LOG_CROWDED_EVERY:
                self._crowded_logged = now
                log.warn(
                    "state_full", size_mb=self.size >> 20, detail="raise state.size to keep more entries"
                )
        return self._crowded

    def evict(self, transaction: lmdb.Transaction, now: float) -> None:
        """Make room in the table that takes the most pages."""
        largest = max(self._tables.values(), key=lambda table: table.pages(transaction))
        largest.evict(transaction, now)

    def _bytes_used(self, transaction: lmdb.Transaction) -> int:
        pages = sum(table.pages(transaction) for table in self._tables.values())
        return (pages + self.journal.pages(transaction)) * self.environment.stat()["psize"]

    def _reason(self, error: lmdb.Error) -> str:
        if isinstance(error, lmdb.MapFullError):
            return (
                f"the tables do not fit into state.size ({self.size >> 20} MB); raise it or lower their size"
            )
        full = "no space left: " if _is_full(self.folder) else ""
        return f"state.path {self.folder}: {full}{type(error).__name__}: {error}"

    def _degrade(self, reason: str, now: float) -> None:
        if not self._status.degraded and self._may_log(now):
            log.error("state_in_memory", reason=reason)
        self._status = Status(True, reason, self._status.since or now)

    def _may_log(self, now: float) -> bool:
        """True unless a change of state was logged just before; counts as logging one."""
        if 0 < now - self._logged < _LOG_EVERY:
            return False
        self._logged = now
        return True

    def _look_after(self, now: float) -> None:
        """Reopen the file if it is missing or damaged; try tables that could not be opened before."""
        file = self._file
        if file is not None and (self._damaged or self._stale or not still_there(file)):
            self._degrade(f"state.path {self.folder}: the state file is damaged or was deleted", now)
            self._bad = 0 if self._stale else file.inode
            self._close(intact=False)
        if self._file is None:
            try:
                self._open()
            except OSError as error:
                self._degrade(str(error), now)
                return
        if self._status.degraded:
            for table in self._tables.values():
                self._attach(table)
            self._try_to_write(now)

    def _try_to_write(self, now: float) -> None:
        """Test if the file works again, in case this process writes nothing."""
        try:
            self.journal.try_to_write()
        except lmdb.Error as error:
            self.failed(error, now)
        else:
            self.worked(now)

    def _open(self) -> None:
        self._make(self.folder)
        file = open_file(self.folder, self.size * _MAP_FACTOR, self._bad)
        try:
            self.journal.attach(file.environment)
            names = names_of_tables(file.environment)
        except lmdb.Error as error:
            close_file(file, intact=False)
            raise OSError(f"state.path {self.folder}: {error}") from error
        self._file, self.versions, self._damaged, self._stale = file, file.versions, False, False
        for name in names:  # of removed pools too, whose entries take space until they expire
            self._tables.setdefault(name, LocalTable(self, name))
        for table in self._tables.values():
            self._attach(table)

    def _attach(self, table: LocalTable) -> None:
        try:
            table.attach()
        except lmdb.Error as error:
            self.failed(error, 0.0)

    def _close(self, *, intact: bool = True) -> None:
        file, self._file = self._file, None
        for table in self._tables.values():
            table.detach()
        if file is not None:
            close_file(file, intact=intact)


def _is_full(folder: Path) -> bool:
    """True if the file system of `folder` has no space for another page; LMDB may call that an input/output error."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < 1 << 16
