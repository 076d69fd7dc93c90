"""What a path names beneath the root: the first of the candidates that exists."""

from __future__ import annotations

import errno
import os
import stat
from enum import Enum
from typing import Final, NamedTuple

from adc.files.candidates import THE_PATH, Candidate
from adc.proxy.files.root import Descriptor, look

ABSENT: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV, errno.ENAMETOOLONG, errno.EINVAL, errno.ENXIO}
)
"""Errors of names that lead to nothing beneath the root."""


class Kind(Enum):
    """What was found: a file, a folder to list, or a folder that was asked for without its slash."""

    FILE = "file"
    LISTED = "listed"
    SLASH = "slash"


class Found(NamedTuple):
    """What a path names. A file is kept under `key`: its path, or one that no path equals if the candidate does not
    depend on the path, so that one copy serves all paths."""

    kind: Kind
    name: bytes
    key: str = ""


class Finder:
    """Looks for `candidates` in order; `index` are the files that stand for their folder. `listing`: folders without
    one of these are listed. `path_first`: what the path itself names comes before all else."""

    __slots__ = ("_candidates", "_index", "_listing", "path_first")

    def __init__(self, candidates: tuple[Candidate, ...], index: tuple[bytes, ...], listing: bool) -> None:
        self._candidates = candidates
        self._index = index
        self._listing = listing
        self.path_first = candidates[:1] == (THE_PATH,)

    def find(self, folder: Descriptor, path: str, name: bytes | None) -> Found | None:
        """Return what `path` names, whose name is `name`, None if no file can have it. Raises OSError if something
        that exists cannot be looked at."""
        slash = path.endswith("/")
        for candidate in self._candidates:
            if candidate.of_path and name is None:
                continue
            within = candidate.name(name or b"", slash)
            mode = None if within is None else _mode(folder, within)
            if within is None or mode is None:
                continue
            key = path if candidate.of_path else "=" + os.fsdecode(within)
            if not candidate.folder:
                if stat.S_ISREG(mode):
                    return Found(Kind.FILE, within, key)
            elif stat.S_ISDIR(mode):
                if candidate.of_path and not slash:
                    return Found(Kind.SLASH, within)
                found = self._within(folder, within, key)
                if found is not None:
                    return found
        return None

    def _within(self, folder: Descriptor, name: bytes, key: str) -> Found | None:
        """Return the index of the folder `name`, or the folder itself if it is listed."""
        for index in self._index:
            within = b"%b/%b" % (name, index) if name else index
            mode = _mode(folder, within)
            if mode is not None and stat.S_ISREG(mode):
                return Found(Kind.FILE, within, key)
        return Found(Kind.LISTED, name) if self._listing else None


def _mode(folder: Descriptor, name: bytes) -> int | None:
    """Return the mode of what `name` leads to, None if it leads to nothing. Raises OSError."""
    try:
        return look(folder, name).st_mode
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise
