"""A file as it is served: its representations, with their content or an open descriptor."""

from __future__ import annotations

import os
import stat
from typing import Final

from adc.compression.negotiation import negotiate
from adc.files.media_types import ContentTypes
from adc.files.representation import Representation
from adc.http.headers import Headers, Pair
from adc.http.message import Response
from adc.proxy.files.folders import Folders, Identity, OpenFolder, identity
from adc.proxy.files.root import LOOK_AGAIN, Descriptor, look, open_file

SUFFIXES: Final = {"br": b".br", "zstd": b".zst", "gzip": b".gz"}
"""Suffix of the compressed copy of a file, by content coding."""

IN_MEMORY: Final = 64 << 10
"""Files up to this size are read once and sent from memory; larger ones stay open."""

LOOK_FOR_COPIES = 5.0
"""Seconds after which new compressed copies of a file are looked for; those that it has are looked at with it."""

_MOST_TRIES: Final = 3


class Content:
    """A representation, and where its bytes are: in `data`, or in the open `file`. `head` is that of all of it, for
    requests that nothing else changes."""

    __slots__ = ("data", "file", "head", "identity", "name", "shown")

    def __init__(
        self, name: bytes, shown: Representation, found: Identity, data: bytes | None, file: Descriptor | None
    ) -> None:
        self.name = name
        self.shown = shown
        self.identity = found
        self.data = data
        self.file = file
        self.head = Response(200, Headers(shown.lines), b"", shown.length)
        self.head.shared = True


class ServedFile:
    """A file with its compressed copies, by coding. It is as the disk had it until `look_at`, monotonic seconds; new
    copies are looked for at `copies_at`. `folder` and `base` are the parts of its name. `direct`: the file is what its
    key, a path, names before all else."""

    __slots__ = ("base", "coded", "copies_at", "direct", "folder", "key", "look_at", "plain")

    def __init__(self, key: str, plain: Content, coded: dict[str, Content], now: float) -> None:
        self.key = key
        self.plain = plain
        self.coded = coded
        self.look_at = now + LOOK_AGAIN
        self.copies_at = now + LOOK_FOR_COPIES
        self.direct = False
        self.folder, _, self.base = plain.name.rpartition(b"/")

    def chosen(self, accept_encoding: bytes | None) -> Content:
        """Return the representation that the client prefers."""
        if not self.coded:
            return self.plain
        coding = negotiate(accept_encoding, tuple(self.coded))
        return self.plain if coding is None else self.coded[coding]

    @property
    def memory(self) -> int:
        """Return the bytes of content in memory."""
        return sum(len(each.data or b"") for each in (self.plain, *self.coded.values()))

    @property
    def descriptors(self) -> int:
        """Return the number of descriptors that it keeps open."""
        return sum(each.file is not None for each in (self.plain, *self.coded.values()))


class FileReader:
    """Loads files of one route. `codings` are looked for as compressed copies, the preferred one first; `lines` are
    fields of every response. `folders` are those of all routes."""

    __slots__ = ("_codings", "_folders", "_lines", "_types")

    def __init__(
        self, types: ContentTypes, codings: tuple[str, ...], lines: tuple[Pair, ...], folders: Folders
    ) -> None:
        self._folders = folders
        self._types = types
        self._codings = codings
        self._lines = lines

    def load(self, folder: Descriptor, key: str, name: bytes, now: float, wall: float) -> ServedFile:
        """Load the regular file `name`. Raises OSError."""
        kind = self._types.of(name)
        copies = [coding for coding in self._codings if self._has(folder, name + SUFFIXES[coding])]
        varies = bool(copies)
        plain = _content(folder, name, kind, "", varies, self._lines, wall)
        coded = {
            coding: _content(folder, name + SUFFIXES[coding], kind, coding, varies, self._lines, wall)
            for coding in copies
        }
        return ServedFile(key, plain, coded, now)

    def is_current(self, root: Descriptor, served: ServedFile, now: float) -> bool:
        """True if the disk has the same file and the same copies: then nothing is looked at again for up to a second.
        Raises OSError if the file is gone.
        """
        plain, coded = served.plain, served.coded
        folder = self._folders.of(root, served.folder, now)
        if folder.identity(served.base) != plain.identity:
            return False
        new_too = now >= served.copies_at
        if new_too or coded:
            for coding in self._codings if new_too else coded:
                held = coded.get(coding)
                if _found(folder, served.base + SUFFIXES[coding]) != (
                    None if held is None else held.identity
                ):
                    return False
        served.look_at = folder.look_at
        if new_too:
            served.copies_at = now + LOOK_FOR_COPIES
        return True

    def _has(self, folder: Descriptor, name: bytes) -> bool:
        try:
            return stat.S_ISREG(look(folder, name).st_mode)
        except OSError:
            return False


def _found(folder: OpenFolder, base: bytes) -> Identity | None:
    """Return what the name of a copy leads to, None if it leads to nothing."""
    try:
        return folder.identity(base)
    except OSError:
        return None


def _content(
    folder: Descriptor,
    name: bytes,
    kind: bytes,
    coding: str,
    varies: bool,
    lines: tuple[Pair, ...],
    wall: float,
) -> Content:
    file, found = open_file(folder, name)
    data = None
    if found.st_size <= IN_MEMORY:
        data, found = _read(file, found)
    shown = Representation(found.st_size, found.st_mtime_ns, found.st_ino, kind, coding, varies, lines, wall)
    return Content(name, shown, identity(found), data, None if data is not None else file)


def _read(file: Descriptor, found: os.stat_result) -> tuple[bytes | None, os.stat_result]:
    """Read a small file, again if it changes meanwhile; None if it goes on changing, or grows too large."""
    for _ in range(_MOST_TRIES):
        data = os.pread(file.number, found.st_size + 1, 0)
        after = os.fstat(file.number)
        if identity(after) == identity(found) and len(data) == found.st_size:
            return data, found
        found = after
        if found.st_size > IN_MEMORY:
            break
    return None, found
