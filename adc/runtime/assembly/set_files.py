"""Detects changed files of sets."""

from __future__ import annotations

import os
from collections.abc import Mapping

Signature = tuple[int, int, int]


class SetFiles:
    """Files by the name of their set. Create it before reading the files: they count as read from then on.

    A change is reported once two checks find the same state, so that no file is read half written.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = dict(files)
        self._read = {name: _signature(file) for name, file in self.files.items()}
        self._seen = dict(self._read)

    def look(self) -> tuple[str, ...]:
        """Return the names of the sets whose files must be read again; from now on they count as read."""
        changed = []
        for name, file in self.files.items():
            before, signature = self._seen[name], _signature(file)
            self._seen[name] = signature
            if before == signature != self._read[name]:
                self._read[name] = signature
                changed.append(name)
        return tuple(changed)


def _signature(file: str) -> Signature:
    """Return what changes with a file; zeros if there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino
