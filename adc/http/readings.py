"""Readings of a path that a member could follow although the rules matched another one.

A member may decode `%2F`, once or twice, treat a backslash as a slash and other non-ASCII characters as ASCII ones,
strip `;parameters` and trailing blanks and dots of a name, read a host behind `//`, or stop at a NUL, `?` or `#`, in
any order. All of these are applied to a path, and to the results, until nothing new appears.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote, unquote

from adc.http.lookalikes import plain_ascii

MOST: Final = 256
MOST_CHARACTERS: Final = 32 << 10
"""Limits for the readings of one path: their number, and their characters together (or four times the path, if that is
more): a client could hold the worker with more."""


class UnsafeReadings(ValueError):
    """A path that can be read in more ways than are looked at, or as one that climbs above the root."""


_SAFE: Final = "/%!$&'()*+,;=:@"
_parameters: Final = re.compile(r";[^/]*")
_slashes: Final = re.compile(r"//+")
_line_breaks: Final = re.compile(r"[\0\t\r\n]+")
# Session ids in the path, (S(x)), which ASP.NET drops; streams of NTFS, ::$DATA.
_session_ids: Final = re.compile(r"\((?:[A-Za-z]\([^/()]*\))+\)")
_streams: Final = re.compile(r"(?::[^/:]*)?:\$[^/]*")
_outer_pluses: Final = re.compile(r"(?<=/)\++|\++(?=/|\Z)")
_BLANKS: Final = "".join(map(chr, range(33))) + "\x7f\xa0"


def readings(path: str, normal: str, prefix: str = "") -> Iterator[str]:
    """Yield the readings of `path`, whose normal form is `normal`, as paths to match rules against.

    Both are among them. `prefix` is removed before the member sees the path: the rest must not be read as a host, nor
    lead out of the prefix. Raises `UnsafeReadings`.
    """
    changes, inside = _CHANGES, "/"
    if prefix and normal.startswith(f"{prefix}/"):
        inside = f"{prefix}/"
        changes = (*_CHANGES, lambda text: _without_authority(text, prefix))
    found = {path, normal}
    waiting = [path, normal]
    given: set[str] = set()
    left = max(MOST_CHARACTERS, 4 * len(path))
    while waiting:
        text = waiting.pop()
        form = quote(text, _SAFE, "latin-1")
        if form not in given:
            if not form.startswith(inside) and form != prefix:
                raise UnsafeReadings(f"the path can be read as {form}, which leads out of {prefix}")
            given.add(form)
            yield form
        for change in changes:
            other = change(text)
            if other in found:
                continue
            left -= len(other)
            if left < 0 or len(found) >= MOST:
                raise UnsafeReadings("the path can be read in more ways than adc checks")
            found.add(other)
            waiting.append(other)


def _decoded(text: str) -> str:
    return unquote(text, "latin-1")


def _slashed(text: str) -> str:
    return text.replace("\\", "/")


def _without_parameters(text: str) -> str:
    return _parameters.sub("", text)


def _trimmed(text: str) -> str:
    return "/".join([_trimmed_name(name) for name in text.split("/")])


def _trimmed_name(name: str) -> str:
    name = name.strip(_BLANKS)
    return name if name.strip(".") == "" else name.rstrip(f".{_BLANKS}")


def _without_pluses(text: str) -> str:
    """Return the text decoded and trimmed like a form field."""
    return _outer_pluses.sub("", text) if "+" in text else text


def _merged(text: str) -> str:
    return _slashes.sub("/", text)


def _without_line_breaks(text: str) -> str:
    return _line_breaks.sub("", text)


def _without_authority(text: str, prefix: str = "") -> str:
    """Return the path of a URL reference, without its host (RFC 3986 section 4.2)."""
    start = len(prefix)
    if not text.startswith("//", start) or not text.startswith(prefix):
        return text
    return f"{prefix}/{text[start:].lstrip('/').partition('/')[2]}"


def _without_session_ids(text: str) -> str:
    return _session_ids.sub("", text)


def _without_streams(text: str) -> str:
    return _streams.sub("", text)


def _without_last_dots(text: str) -> str:
    """Return the path as file systems read it: `/a/.` is `/a`."""
    return _without_dots(text).rstrip("/") or "/" if text.endswith(("/.", "/..")) else text


def _without_dots(text: str) -> str:
    """RFC 3986 section 5.2.4, empty segments count. Raises `UnsafeReadings` for a path that climbs above the root."""
    if "/." not in text:
        return text
    kept: list[str] = []
    segments = text.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if not kept:
                raise UnsafeReadings("the path can be read as one that climbs above the root")
            kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _cut(mark: str) -> Callable[[str], str]:
    return lambda text: text.partition(mark)[0] or "/"


_CHANGES: Final = (
    _decoded,
    plain_ascii,
    _slashed,
    _without_parameters,
    _trimmed,
    _merged,
    _without_dots,
    _without_last_dots,
    _without_authority,
    _without_session_ids,
    _without_streams,
    _without_pluses,
    _without_line_breaks,
    *map(_cut, ";\0?#"),
)
