"""Response fields that hold references, edited within their syntax."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

from adc.http.headers import Headers
from adc.http.set_cookie import edit_attributes

Edit = Callable[[bytes], bytes]
"""Returns a value in place of another, or the same one."""

_delay: Final = re.compile(rb"[ \t]*[0-9.]+[ \t]*[;,][ \t]*(?:[Uu][Rr][Ll][ \t]*=[ \t]*)?").match
_link_part: Final = re.compile(rb'<([^<>]*)>|"(?:[^"\\]|\\.)*(?:"|\Z)', re.DOTALL)


def edit_refresh(value: bytes, edit: Edit) -> bytes:
    """Return a Refresh value (`5; url=/a`) with its reference edited."""
    match = _delay(value)
    if match is None:
        return value
    start, end = match.end(), len(value)
    quote = value[start : start + 1]
    if quote in (b'"', b"'"):
        start += 1
        closing = value.find(quote, start)
        end = closing if closing >= 0 else end
    return value[:start] + edit(value[start:end]) + value[end:] if end > start else value


def edit_links(value: bytes, edit: Edit) -> bytes:
    """Return a Link value (RFC 8288 section 3) with its targets edited."""
    return _link_part.sub(lambda match: match[0] if match[1] is None else b"<%b>" % edit(match[1]), value)


def edit_whole(value: bytes, edit: Edit) -> bytes:
    """Return the edited value: it is one reference."""
    return edit(value)


LOCATIONS: Final = {
    b"location": edit_whole,
    b"content-location": edit_whole,
    b"refresh": edit_refresh,
    b"link": edit_links,
}
"""Fields with references -> what edits the references in their values."""

SET_COOKIE: Final = b"set-cookie"


def has_locations(headers: Headers) -> bool:
    """True if `LocationEdits` may change `headers`."""
    names = headers.index
    return SET_COOKIE in names or not LOCATIONS.keys().isdisjoint(names)


class LocationEdits:
    """Edits of a response: `reference` for the references in `fields` (lower-case names among `LOCATIONS`), `path` and
    `domain` for cookies. `path` gets the name of the cookie too; a `domain` edited to nothing is removed.
    """

    __slots__ = ("_domain", "_fields", "_path", "_reference")

    def __init__(
        self,
        reference: Edit,
        path: Callable[[bytes, bytes], bytes],
        domain: Edit,
        fields: Collection[bytes] = LOCATIONS.keys(),
    ) -> None:
        self._fields = fields
        self._reference = reference
        self._path = path
        self._domain = domain

    def apply(self, headers: Headers) -> None:
        """Edit the lines of `headers` in place."""
        headers.replace([(name, self._edited(name.lower(), value)) for name, value in headers.pairs])

    def _edited(self, name: bytes, value: bytes) -> bytes:
        if name == SET_COOKIE:
            return self._cookie(value)
        return LOCATIONS[name](value, self._reference) if name in self._fields else value

    def _cookie(self, line: bytes) -> bytes:
        cookie = line.partition(b"=")[0].strip(b" \t")
        return edit_attributes(
            line, {b"path": lambda value: self._path(cookie, value), b"domain": self._domain}
        )
