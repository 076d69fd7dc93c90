"""Files that a worker has read or opened, bounded in number, memory and descriptors."""

from __future__ import annotations

from typing import Final

from adc.proxy.files.folders import Folders
from adc.proxy.files.served import ServedFile

MOST_FILES: Final = 2000
MOST_MEMORY: Final = 32 << 20
MOST_DESCRIPTORS: Final = 200

Shelf = dict[str, ServedFile]
"""The files of one route, by the path of a request."""


class OpenFiles:
    """Bounds the files of all routes of a worker together. Those that were looked at longest ago go first. They lie in
    `folders`."""

    __slots__ = ("_descriptors", "_memory", "_order", "folders")

    def __init__(self) -> None:
        self._order: dict[tuple[int, str], Shelf] = {}
        self._memory = 0
        self._descriptors = 0
        self.folders = Folders()

    def put(self, shelf: Shelf, served: ServedFile) -> None:
        """Keep `served` on `shelf`, in place of one with its key."""
        self.drop(shelf, served.key)
        self._memory += served.memory
        self._descriptors += served.descriptors
        shelf[served.key] = served
        self._order[(id(shelf), served.key)] = shelf
        while (
            len(self._order) > MOST_FILES
            or self._memory > MOST_MEMORY
            or self._descriptors > MOST_DESCRIPTORS
        ):
            (_, key), oldest = next(iter(self._order.items()))
            self.drop(oldest, key)

    def touch(self, shelf: Shelf, key: str) -> None:
        """Count the file of `key` as the one looked at last."""
        self._order[(id(shelf), key)] = self._order.pop((id(shelf), key))

    def drop(self, shelf: Shelf, key: str) -> None:
        """Forget the file of `key`, if there is one."""
        served = shelf.pop(key, None)
        if served is not None:
            del self._order[(id(shelf), key)]
            self._memory -= served.memory
            self._descriptors -= served.descriptors
