"""Names of files beneath a folder, from paths of requests."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_to_bytes

_LONGEST_SEGMENT: Final = 255
_LONGEST: Final = 4000
_WELL_KNOWN: Final = b".well-known"
_NEVER: Final = (b"", b".", b"..")


def file_name(path: str) -> bytes | None:
    """Return the name beneath the folder that `path`, the path of a request, stands for: b"" is the folder itself.

    None if no file can have it: a segment decodes to a separator, a backslash, a NUL or a dot segment, or is too long.
    Each escape is decoded once. A slash at the end is dropped.
    """
    if not path.startswith("/"):
        return None
    raw = path.encode("utf-8", "surrogateescape").removesuffix(b"/")
    segments = raw.split(b"/")[1:]
    if b"%" in raw:
        segments = [unquote_to_bytes(segment) for segment in segments]
    if not all(_is_name(segment) for segment in segments):
        return None
    name = b"/".join(segments)
    return name if len(name) <= _LONGEST else None


def _is_name(segment: bytes) -> bool:
    """True if a file of a folder can have this name."""
    if segment in _NEVER or len(segment) > _LONGEST_SEGMENT:
        return False
    return not (b"/" in segment or b"\\" in segment or b"\0" in segment)


def is_hidden(name: bytes) -> bool:
    """True if a segment of `name` begins with a dot, except `.well-known` as the first (RFC 8615)."""
    if b"." not in name:
        return False
    segments = name.split(b"/")
    if segments[0] == _WELL_KNOWN:
        segments = segments[1:]
    return any(segment.startswith(b".") for segment in segments)


def folder_location(path: str, query: str) -> bytes:
    """Return the `Location` that adds the slash to `path`, the path of a request for a folder: one of this host."""
    target = f"/{path.strip('/')}/" + (f"?{query}" if query else "")
    return target.encode("utf-8", "surrogateescape")
