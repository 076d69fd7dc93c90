"""URI references in field values (RFC 3986 section 4.1)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

PORTS: Final = {b"http": b"80", b"https": b"443"}
"""Schemes of HTTP and their default ports."""

_parts: Final = re.compile(
    rb"(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(//([^/?#\\]*))?([^?#]*)(.*)\Z", re.DOTALL
).match
_authority: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(?::([0-9]*))?\Z").match
_slashes: Final = re.compile(rb"[/\\]{2,}").match


class Reference(NamedTuple):
    """A reference in its parts. `scheme` is lower-case, b"" if there is none; `authority` is None if there is none;
    `rest` begins with `?` or `#`."""

    scheme: bytes
    authority: bytes | None
    path: bytes
    rest: bytes


def split_reference(value: bytes) -> Reference:
    """Return the parts of a URI or a relative reference."""
    match = _parts(value)
    assert match is not None, "the expression matches every value"
    scheme, slashes, authority, path, rest = match.groups()
    return Reference((scheme or b"").lower(), authority if slashes else None, path, rest)


def host_and_port(scheme: bytes, authority: bytes) -> tuple[bytes, bytes] | None:
    """Return the lower-case host and the port that `authority` means; None if it is none of HTTP, or names a user."""
    match = _authority(authority)
    if match is None or scheme not in PORTS:
        return None
    return match[1].lower(), match[2] or PORTS[scheme]


def resolved(base: bytes, path: bytes) -> bytes:
    """Return the absolute path that `path` means at the absolute path `base`, without dot segments (RFC 3986 section
    5.2)."""
    return without_dots(path if path.startswith(b"/") else base[: base.rfind(b"/") + 1] + path)


def without_dots(path: bytes) -> bytes:
    """Return an absolute path without dot segments, written with `%2E` or not; those above the root are dropped."""
    if b"." not in path and b"%2" not in path:
        return path
    kept: list[bytes] = []
    dots = 0
    for segment in path.split(b"/")[1:]:
        dots = _dots(segment)
        if dots == 0:
            kept.append(segment)
        elif dots == 2 and kept:
            kept.pop()
    if dots:
        kept.append(b"")
    return b"/" + b"/".join(kept)


def without_host(path: bytes) -> bytes:
    """Return `path` with one slash at its beginning where several, or backslashes, would make a host of its first
    segment."""
    match = _slashes(path)
    return path if match is None else b"/" + path[match.end() :]


def _dots(segment: bytes) -> int:
    """Return 1 or 2 for a dot segment, else 0."""
    if len(segment) > 6:
        return 0
    plain = segment.replace(b"%2e", b".").replace(b"%2E", b".")
    return len(plain) if plain in (b".", b"..") else 0
