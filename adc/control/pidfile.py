"""The pidfile: one line with the supervisor's process id."""

from __future__ import annotations

import os
from pathlib import Path


class PidfileTaken(Exception):
    """Another living process is named in the pidfile."""


def write(path: Path, replaces: int | None = None) -> None:
    """Write this process's id to `path`. `replaces` is the process that it replaces in an upgrade.

    Raises PidfileTaken if the file names another live process, OSError if it cannot be written.
    """
    owner = read(path)
    if owner not in (None, os.getpid(), replaces) and _alive(owner):
        raise PidfileTaken(f"{path}: process {owner} is running; stop it or name another pidfile")
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_text(f"{os.getpid()}\n")
    beside.replace(path)


def read(path: Path) -> int | None:
    """Return the process id in the file, None if there is no file or no number in it."""
    try:
        return int(path.read_text()[:32])
    except (OSError, ValueError):
        return None


def remove(path: Path) -> None:
    """Remove the file if it still names this process: after an upgrade it belongs to the new one."""
    if read(path) == os.getpid():
        path.unlink(missing_ok=True)


def _alive(pid: int | None) -> bool:
    if pid is None or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
