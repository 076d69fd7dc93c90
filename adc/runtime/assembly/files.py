"""Routes that serve files."""

from __future__ import annotations

from typing import NamedTuple

from adc.config.errors import Path
from adc.config.model.files import Files
from adc.files.candidates import Candidate, Candidates, candidates
from adc.files.media_types import ContentTypes
from adc.http.headers import Pair
from adc.proxy.files.action import FileOptions, ServeFiles
from adc.proxy.files.open_files import OpenFiles
from adc.proxy.files.root import Root, open_file
from adc.proxy.files.served import FileReader
from adc.proxy.replies import Replies


class LastResort(NamedTuple):
    """The file that is sent if nothing else exists, and the place of the option that names it."""

    name: bytes
    place: Path


def last_resort(files: Files) -> LastResort | None:
    """Return the file of last resort: it must exist, unlike those that are tried before it."""
    if files.fallback is not None:
        return LastResort(files.fallback.encode(), ("fallback",))
    last = tried(files).tried[-1]
    if last.of_path or last.folder:
        return None
    return LastResort(last.before, ("try", len(tried(files).tried) - 1))


def tried(files: Files) -> Candidates:
    """Return what is tried for a path."""
    found = candidates(files.try_)
    if files.fallback is None:
        return found
    return Candidates((*found.tried, Candidate(files.fallback.encode(), False, b"", False)), found.status)


def serve_files(files: Files, quick: bool, rewritten: bool, kept: OpenFiles, replies: Replies) -> ServeFiles:
    """Return the action for `files`. `quick`: neither a cache nor a plugin comes before it; `rewritten`: the route
    changes paths.

    Raises OSError if the folder or the file of last resort is not there.
    """
    root = Root(files.root)
    folder = root.folder(0)
    last = last_resort(files)
    if last is not None:
        open_file(folder, last.name)
    lines: list[Pair] = []
    if files.cache_control is not None:
        lines.append((b"Cache-Control", files.cache_control.encode("latin-1")))
    types = ContentTypes(files.types, files.charset or "")
    reader = FileReader(types, files.precompressed, tuple(lines), kept.folders)
    options = FileOptions(
        tuple(name.encode() for name in files.index),
        tried(files),
        files.hidden,
        files.listing,
        quick,
        rewritten,
    )
    return ServeFiles(root, reader, options, kept, replies)
