"""The folder that a route serves: its descriptor, and what lies beneath it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from itertools import islice

from adc.files.listing import MOST_ENTRIES, Entry
from adc.files.names import is_hidden
from adc.proxy.files.beneath import open_beneath

LOOK_AGAIN = 1.0
"""Seconds after which a file, or the folder itself, is looked at again: what changed is served from then on."""

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Descriptor:
    """An open file. Whoever holds it may read; the last one to drop it closes it."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


class Root:
    """The folder at `path`, opened again when the path leads elsewhere, as after the switch of a link to a release."""

    __slots__ = ("_folder", "_identity", "_look_at", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._folder: Descriptor | None = None
        self._identity = (0, 0)
        self._look_at = 0.0

    def folder(self, now: float) -> Descriptor:
        """Return the folder as of at most a second ago; `now` is monotonic. Raises OSError."""
        folder = self._folder
        if folder is not None and now < self._look_at:
            return folder
        found = os.stat(self.path)
        if folder is None or self._identity != (found.st_dev, found.st_ino):
            folder = self._folder = Descriptor(os.open(self.path, _FOLDER))
            opened = os.fstat(folder.number)
            self._identity = (opened.st_dev, opened.st_ino)
        self._look_at = now + LOOK_AGAIN
        return folder


def look(folder: Descriptor, name: bytes) -> os.stat_result:
    """Return what `name` is, without opening it for reading. Raises OSError."""
    descriptor = open_beneath(folder.number, name, os.O_PATH)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def open_file(folder: Descriptor, name: bytes) -> tuple[Descriptor, os.stat_result]:
    """Open a regular file. Raises OSError: ENOENT for anything else, which is opened only if it took the place of a
    file a moment ago, and never waited for."""
    if not stat.S_ISREG(look(folder, name).st_mode):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    descriptor = Descriptor(open_beneath(folder.number, name, _READ))
    found = os.fstat(descriptor.number)
    if not stat.S_ISREG(found.st_mode):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return descriptor, found


def entries(folder: Descriptor, name: bytes, hidden: bool) -> tuple[list[Entry], bool]:
    """Return files and folders in the folder `name` that requests can reach, at most `MOST_ENTRIES`, and whether there
    are more. Raises OSError."""
    listed = Descriptor(open_beneath(folder.number, name, _FOLDER))
    found = list(islice(_entries(folder, name, listed, hidden), MOST_ENTRIES + 1))
    return found[:MOST_ENTRIES], len(found) > MOST_ENTRIES


def _entries(folder: Descriptor, above: bytes, listed: Descriptor, hidden: bool) -> Iterator[Entry]:
    with os.scandir(listed.number) as found:
        for each in found:
            name = os.fsencode(each.name)
            if not hidden and is_hidden(name):
                continue
            try:
                facts = look(folder, b"%b/%b" % (above, name) if above else name)
            except OSError:
                continue
            is_folder = stat.S_ISDIR(facts.st_mode)
            if is_folder or stat.S_ISREG(facts.st_mode):
                yield Entry(name, is_folder, facts.st_size, int(facts.st_mtime))
