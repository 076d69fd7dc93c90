"""Opening the LMDB file that the workers of a machine share, and replacing one that cannot be trusted."""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path
from typing import NamedTuple

import lmdb

from adc.state.versions import open_versions

FORMAT = b"adc 1"
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TAIL_PAGES = 16
_MAX_TABLES = 1024
_MAX_READERS = 512

log = logging.getLogger("adc.state")


class LocalFile(NamedTuple):
    """An open environment, its table of facts about itself, what tells of changes, and the descriptor whose lock
    says "in use"."""

    environment: lmdb.Environment
    facts: lmdb._Database
    versions: memoryview
    users: int


def open_file(folder: Path, map_size: int) -> LocalFile:
    """Open (or make) the file in `folder`. The first process to come examines what it finds there: a file
    that is damaged, of another format, or left unfinished by a machine that went down is set aside as
    `broken.mdb` and a new one begun, with the reason in the log. Raises OSError if the folder cannot be
    used."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(users, fcntl.LOCK_SH)
    else:
        _clear_the_way(folder)
    try:
        versions = open_versions(folder / "versions")
        environment = lmdb.open(
            str(folder),
            map_size=map_size,
            max_dbs=_MAX_TABLES,
            max_readers=_MAX_READERS,
            mode=0o600,
            sync=False,
            metasync=False,
            readahead=False,
        )
    except (lmdb.Error, OSError) as error:
        os.close(users)
        raise OSError(f"{folder}: {error}") from error
    environment.reader_check()
    facts = environment.open_db(b"facts")
    with environment.begin(write=True, db=facts) as transaction:
        transaction.put(b"format", FORMAT)
        transaction.put(b"boot", _boot())
    fcntl.flock(users, fcntl.LOCK_SH)
    return LocalFile(environment, facts, versions, users)


def close_file(file: LocalFile) -> None:
    """Bring the file to disk and note that nothing is outstanding."""
    try:
        with file.environment.begin(write=True, db=file.facts) as transaction:
            transaction.put(b"finished", b"%d" % transaction.id())
        file.environment.sync(True)
    except lmdb.Error as error:
        log.warning("the state file could not be brought to disk: %s", error)
    file.environment.close()
    os.close(file.users)


def _clear_the_way(folder: Path) -> None:
    (folder / "versions").unlink(missing_ok=True)
    data = folder / "data.mdb"
    if not data.exists():
        return
    reason = _distrust(folder, data)
    (folder / "lock.mdb").unlink(missing_ok=True)
    if reason is not None:
        log.warning("%s replaced by an empty one: %s (kept as broken.mdb)", data, reason)
        data.replace(folder / "broken.mdb")


def _distrust(folder: Path, data: Path) -> str | None:
    """Why the file must not be used, None if it may."""
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
