"""What other software may take a path for: the readings that a member could follow where rules matched another one.

A member may decode `%2F`, once or twice, take a backslash for a slash, strip `;parameters`, blanks and dots at the
end of a name, or read no further than a NUL, `?` or `#`, in any order. All of these are applied to a path, and to what
comes of it, until nothing new appears.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote, unquote

MOST: Final = 128
MOST_CHARACTERS: Final = 32 << 10
"""How many readings of one path are looked at, and how long they may be together (or four times the path, if that is
more): a client could hold the worker with more."""


class TooManyReadings(ValueError):
    """A path that can be read in more ways than anybody would look at."""


_SAFE: Final = "/%!$&'()*+,;=:@"
_parameters: Final = re.compile(r";[^/]*")
_slashes: Final = re.compile(r"//+")
_line_breaks: Final = re.compile(r"[\0\t\r\n]+")
# UTF-8 of an ASCII character in two to four bytes, which RFC 3629 forbids, or of its full-width form.
_ascii_in_disguise: Final = re.compile(
    "[\xc0\xc1][\x80-\xbf]|\xe0[\x80\x81][\x80-\xbf]|\xf0\x80[\x80\x81][\x80-\xbf]|\xef[\xbc\xbd][\x80-\xbf]"
)
_BLANKS: Final = "".join(map(chr, range(33))) + "\x7f\xa0"
_FULL_WIDTH: Final = 0xFEE0


def readings(path: str, normal: str) -> Iterator[str]:
    """The readings of `path`, whose normal form is `normal`, as paths for rules to be matched against.

    Both are among them. Raises `TooManyReadings`.
    """
    found = {path, normal}
    waiting = [path, normal]
    told: set[str] = set()
    left = max(MOST_CHARACTERS, 4 * len(path))
    while waiting:
        text = waiting.pop()
        form = quote(text, _SAFE, "latin-1")
        if form not in told:
            told.add(form)
            yield form
        for change in _CHANGES:
            other = change(text)
            if other in found:
                continue
            left -= len(other)
            if left < 0 or len(found) >= MOST:
                raise TooManyReadings("the path can be read in more ways than are looked at")
            found.add(other)
            waiting.append(other)


def _decoded(text: str) -> str:
    return unquote(text, "latin-1")


def _plain_ascii(text: str) -> str:
    return _ascii_in_disguise.sub(_undisguised, text)


def _undisguised(match: re.Match[str]) -> str:
    value = 0
    for character in match[0][1:]:
        value = value << 6 | ord(character) & 0x3F
    if match[0][0] in "\xc0\xc1":
        return chr((ord(match[0][0]) & 1) << 6 | value)
    if match[0][0] == "\xef":
        value = (0xF000 | value) - _FULL_WIDTH
    return chr(value) if 0x20 < value < 0x7F else match[0]


def _slashed(text: str) -> str:
    return text.replace("\\", "/")


def _without_parameters(text: str) -> str:
    return _parameters.sub("", text)


def _trimmed(text: str) -> str:
    return "/".join([_trimmed_name(name) for name in text.split("/")])


def _trimmed_name(name: str) -> str:
    name = name.strip(_BLANKS)
    return name if name.strip(".") == "" else name.rstrip(f".{_BLANKS}")


def _merged(text: str) -> str:
    return _slashes.sub("/", text)


def _without_line_breaks(text: str) -> str:
    return _line_breaks.sub("", text)


def _without_dots(text: str) -> str:
    """RFC 3986 section 5.2.4: empty segments count, and nothing climbs above the root."""
    if "/." not in text:
        return text
    kept: list[str] = []
    segments = text.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
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
    _plain_ascii,
    _slashed,
    _without_parameters,
    _trimmed,
    _merged,
    _without_dots,
    _without_line_breaks,
    *map(_cut, ";\0?#"),
)
