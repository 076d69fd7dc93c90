"""The part of a cache that all workers of a machine share: an LMDB environment and two counters in mapped memory.

Writes are not synced to disk one by one. A killed process loses nothing, because the kernel keeps the pages. After a
power cut the content cannot be trusted: the boot mark differs, and the folder is emptied. Every process that has the
folder open holds a shared lock of `users.lock`: only the first may empty the folder, and only the last marks it clean.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CLEAN = "clean"
_COUNTERS = 2


def private_folder(path: Path) -> None:
    """Make a folder for this user alone, or restrict an existing one: stored responses are private. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) != 0o700:
        path.chmod(0o700)


class Environment:
    """An open shared folder. One per process: LMDB forbids to open the same one twice.

    `map_size` bounds the index: the limit of a disk tier plus 64 MB is never too small, and takes no space by
    itself. `purges` and `releases` are positions in `counters`: numbers that only grow, read without a system
    call. With `kept` false the content lives only while a process uses the folder: the first one empties it, and so
    does the last. Raises OSError or lmdb.Error if the folder cannot be used.
    """

    purges = 0
    releases = 1

    def __init__(self, path: Path, map_size: int, kept: bool = True) -> None:
        self.path = path
        self._kept = kept
        private_folder(path)
        self._users = os.open(path / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with self._alone():
                self.emptied = self._is_only_user() and self._empty_if_untrusted()
                fcntl.flock(self._users, fcntl.LOCK_SH)
            self.lmdb = self._open(map_size)
            self._map = self._map_counters()
        except (OSError, lmdb.Error):
            os.close(self._users)
            raise
        self.counters = memoryview(self._map).cast("Q")

    def _open(self, map_size: int) -> lmdb.Environment:
        private_folder(self.path / "index")
        environment = lmdb.open(
            str(self.path / "index"),
            map_size=map_size,
            mode=0o600,
            max_dbs=8,
            sync=False,
            metasync=False,
            max_readers=512,
            readahead=False,
        )
        environment.reader_check()
        return environment

    def close(self) -> None:
        """Write everything to disk. The last process that closes the folder marks it as clean."""
        self.counters.release()
        self._map.close()
        try:
            self.lmdb.sync(True)
            self.lmdb.close()
            with self._alone():
                if self._is_only_user():
                    self._mark(_CLEAN)
                    if not self._kept:
                        self._empty()
        finally:
            os.close(self._users)

    def _is_only_user(self) -> bool:
        """True if no other process has the folder open: none can open it before the lock of `_alone` is released."""
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from reading, emptying and marking the folder meanwhile: all of them start at once."""
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _empty_if_untrusted(self) -> bool:
        mark = self.path / "boot"
        boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else _CLEAN
        known = mark.read_text().strip() if mark.exists() else None
        untrusted = not self._kept or known not in (None, _CLEAN, boot)
        if untrusted:
            self._empty()
        if known != boot:
            self._mark(boot)
        return untrusted

    def _empty(self) -> None:
        for name in ("index", "objects", "counters"):
            target = self.path / name
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)

    def _mark(self, text: str) -> None:
        """Write the mark whole: a process that is killed here leaves the former one."""
        new = self.path / "boot.new"
        new.write_text(text)
        new.replace(self.path / "boot")

    def _map_counters(self) -> mmap.mmap:
        descriptor = os.open(self.path / "counters", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, 8 * _COUNTERS)
            return mmap.mmap(descriptor, 8 * _COUNTERS)
        finally:
            os.close(descriptor)
