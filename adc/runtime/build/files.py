"""Routes that serve files."""

from __future__ import annotations

from adc.config.model.files import Files
from adc.files.media_types import ContentTypes
from adc.http.headers import Pair
from adc.proxy.files.action import FileOptions, ServeFiles
from adc.proxy.files.open_files import OpenFiles
from adc.proxy.files.root import Root, open_file
from adc.proxy.files.served import FileReader
from adc.proxy.replies import Replies


def serve_files(files: Files, quick: bool, rewritten: bool, kept: OpenFiles, replies: Replies) -> ServeFiles:
    """Return the action for `files`. `quick`: neither a cache nor a plugin comes before it; `rewritten`: the route
    changes paths.

    Raises OSError if the folder or the fallback is not there.
    """
    root = Root(files.root)
    folder = root.folder(0)
    if files.fallback is not None:
        open_file(folder, files.fallback.encode())
    lines: list[Pair] = []
    if files.cache_control is not None:
        lines.append((b"Cache-Control", files.cache_control.encode("latin-1")))
    reader = FileReader(ContentTypes(files.types, files.charset or ""), files.precompressed, tuple(lines))
    options = FileOptions(
        tuple(name.encode() for name in files.index),
        (files.fallback or "").encode(),
        files.hidden,
        files.listing,
        quick,
        rewritten,
    )
    return ServeFiles(root, reader, options, kept, replies)
