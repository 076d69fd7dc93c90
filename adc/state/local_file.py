"""Opening the LMDB file that the workers of a machine share, and replacing one that cannot be trusted."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import NamedTuple

import lmdb

from adc.state.versions import open_versions
from adc.telemetry.event_log import EventLog

FORMAT = b"adc 1"
_DATA = "data.mdb"
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TAIL_PAGES = 16
_MAX_TABLES = 1024
_MAX_READERS = 512

log = EventLog("adc.state")


class LocalFile(NamedTuple):
    """An open environment, its table of facts about itself, the mapped numbers of changes, and the descriptor whose
    lock marks the file as in use."""

    environment: lmdb.Environment
    facts: lmdb._Database
    versions: memoryview
    users: int
    data: Path
    inode: int


def make_folder(folder: Path) -> None:
    """Make the folder for this user alone, if there is none. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def open_file(folder: Path, map_size: int, damaged: int = 0) -> LocalFile:
    """Open (or create) the file in `folder`, with a map of `map_size` bytes, more if the file is large already.

    The first process examines the file: if it is damaged, of another format, or left unfinished by a machine that went
    down, it is renamed to `broken.mdb` and a new one is created, with the reason in the log. The same happens to the
    file with the inode `damaged`, which the last process that uses it must have closed before. Raises OSError if the
    folder cannot be used.
    """
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(users, fcntl.LOCK_SH)
        if damaged and _inode(folder / _DATA) == damaged:
            os.close(users)
            raise OSError(f"state.path {folder}: other workers still use the damaged file") from None
    else:
        _clear_the_way(folder, damaged)
    data = folder / _DATA
    try:
        versions = open_versions(folder / "versions")
        environment = _environment(folder, data, map_size)
        facts = _introduced(environment)
        inode = _inode(data)
    except (lmdb.Error, OSError) as error:
        os.close(users)
        raise OSError(f"state.path {folder}: {error}") from error
    fcntl.flock(users, fcntl.LOCK_SH)
    return LocalFile(environment, facts, versions, users, data, inode)


def still_there(file: LocalFile) -> bool:
    """True if the file is the one that was opened, and not cut short: its pages could not be read without a crash."""
    try:
        found = file.data.stat()
        if found.st_ino != file.inode or found.st_size < 2 * _PAGE:
            return False
        pages = file.environment.info()["last_pgno"] + 1
    except (OSError, lmdb.Error):
        return False
    return bool(found.st_size + _TAIL_PAGES * _PAGE >= pages * _PAGE)


def _environment(folder: Path, data: Path, map_size: int) -> lmdb.Environment:
    with contextlib.suppress(OSError):
        map_size = max(map_size, 2 * data.stat().st_size)
    return lmdb.open(
        str(folder),
        map_size=map_size,
        max_dbs=_MAX_TABLES,
        max_readers=_MAX_READERS,
        mode=0o600,
        sync=False,
        metasync=False,
        readahead=False,
    )


def _introduced(environment: lmdb.Environment) -> lmdb._Database:
    """Return the table of facts, after noting the format and boot of the writer."""
    try:
        environment.reader_check()
        facts = environment.open_db(b"facts")
        with environment.begin(write=True, db=facts) as transaction:
            transaction.put(b"format", FORMAT)
            transaction.put(b"boot", _boot())
    except lmdb.Error:
        environment.close()
        raise
    return facts


def close_file(file: LocalFile, *, intact: bool = True) -> None:
    """Bring the file to disk and note that nothing is outstanding. A file that is not intact is not touched."""
    if intact:
        try:
            with file.environment.begin(write=True, db=file.facts) as transaction:
                transaction.put(b"finished", b"%d" % transaction.id())
            file.environment.sync(True)
        except lmdb.Error as error:
            log.warn("state_sync_failed", detail=str(error))
    file.environment.close()
    os.close(file.users)


def _inode(file: Path) -> int:
    try:
        return file.stat().st_ino
    except OSError:
        return 0


def _clear_the_way(folder: Path, damaged: int) -> None:
    (folder / "versions").unlink(missing_ok=True)
    data = folder / _DATA
    if not data.exists():
        return
    reason = "it is damaged" if _inode(data) == damaged else _distrust(folder, data)
    (folder / "lock.mdb").unlink(missing_ok=True)
    if reason is not None:
        log.warn("state_file_replaced", path=data, reason=reason, kept="broken.mdb")
        data.replace(folder / "broken.mdb")


def _distrust(folder: Path, data: Path) -> str | None:
    """Return why the file must not be used, None if it may."""
    try:
        with lmdb.open(str(folder), readonly=True, create=False, lock=False, max_dbs=1) as environment:
            info = environment.info()
            missing = (info["last_pgno"] + 1) * _PAGE - data.stat().st_size
            if missing > _TAIL_PAGES * _PAGE:
                return f"cut short by {missing} bytes"
            if missing > 0:  # the last pages of a file may be free ones that were never written
                os.truncate(data, data.stat().st_size + missing)
            return _distrust_facts(environment, info["last_txnid"])
    except lmdb.Error as error:
        return str(error)


def _distrust_facts(environment: lmdb.Environment, last: int) -> str | None:
    try:
        facts = environment.open_db(b"facts", create=False)
    except lmdb.NotFoundError:
        return "not a state file"
    with environment.begin(db=facts) as transaction:
        found = transaction.get(b"format") or b""
        if found != FORMAT:
            return f"its format is {found!r}, this version writes {FORMAT!r}"
        finished = transaction.get(b"finished") == b"%d" % last
        if transaction.get(b"boot") != _boot() and not finished:
            return "the machine went down while it was being written"
    return None


def _boot() -> bytes:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    except OSError:
        return b""
