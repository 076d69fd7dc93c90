"""Folders of the files that are in use, kept open for a second so that a look at a file costs one short call."""

from __future__ import annotations

import os
import stat
from typing import Final

from adc.proxy.files.beneath import open_beneath
from adc.proxy.files.root import LOOK_AGAIN, Descriptor, look

MOST_FOLDERS: Final = 100

Identity = tuple[int, int, int, int, int]
"""What is different once a file has other content."""

_FOLDER: Final = os.O_PATH | os.O_DIRECTORY


def identity(found: os.stat_result) -> Identity:
    """Return what tells this content from others."""
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class OpenFolder:
    """The folder `name` beneath `root`: its path led there at some time in the second before `look_at`."""

    __slots__ = ("_descriptor", "_name", "look_at", "root")

    def __init__(self, root: Descriptor, name: bytes, now: float) -> None:
        self.root = root
        self.look_at = now + LOOK_AGAIN
        self._name = name
        self._descriptor = Descriptor(open_beneath(root.number, name, _FOLDER))

    def identity(self, base: bytes) -> Identity:
        """Return what the name `base` in the folder leads to. Raises OSError, also for a link out of the root."""
        found = os.stat(base, dir_fd=self._descriptor.number, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            found = look(self.root, b"%b/%b" % (self._name, base) if self._name else base)
        return identity(found)


class Folders:
    """The open folders of all routes of a worker. Those that were opened longest ago go first."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[tuple[int, bytes], OpenFolder] = {}

    def of(self, root: Descriptor, name: bytes, now: float) -> OpenFolder:
        """Return the folder `name` beneath `root` as of at most a second ago. Raises OSError."""
        key = (root.number, name)
        folder = self._open.get(key)
        if folder is not None and now < folder.look_at and folder.root is root:
            return folder
        self._open.pop(key, None)
        folder = OpenFolder(root, name, now)
        if len(self._open) >= MOST_FOLDERS:
            del self._open[next(iter(self._open))]
        self._open[key] = folder
        return folder
