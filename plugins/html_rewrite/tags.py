"""Tags in bytes: their attributes, and edits that leave all other bytes alone."""

from __future__ import annotations

import re
from html.entities import html5

_SPACE = re.compile(rb"[\t\n\f\r ]*+")
_NAME = re.compile(rb"[^\t\n\f\r />]*+")
_BETWEEN = re.compile(rb"[\t\n\f\r /]*+")
_ATTRIBUTE_NAME = re.compile(rb"[^\t\n\f\r />][^\t\n\f\r />=]*+")
_UNQUOTED = re.compile(rb"[^\t\n\f\r >]*+")
_WELL_FORMED = re.compile(
    rb"""<([a-zA-Z][^\t\n\f\r\ />]*+)
    ((?>(?:[\t\n\f\r\ ]++[^\t\n\f\r\ "'<>/=]++
        (?>(?:[\t\n\f\r\ ]*+=[\t\n\f\r\ ]*+(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r\ "'=<`>]++))?)
    )*))
    [\t\n\f\r\ ]*+(/?)>""",
    re.VERBOSE,
)
_ATTRIBUTES = re.compile(
    rb"""[\t\n\f\r\ ]++([^\t\n\f\r\ "'<>/=]++)
    (?>(?:[\t\n\f\r\ ]*+=[\t\n\f\r\ ]*+(?:"([^"]*+)"|'([^']*+)'|([^\t\n\f\r\ >]++)))?)""",
    re.VERBOSE,
)
_REFERENCE = re.compile(r"&(?:#([xX][0-9a-fA-F]+|[0-9]+);?|([a-zA-Z0-9]+)(;?))(=?)")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f\udc80-\udcff]")
_ESCAPED = str.maketrans({"&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;"})


class Attribute:
    """An attribute: the places of it and of its value (with quotes) in the tag."""

    __slots__ = ("end", "name", "start", "value", "value_start")

    def __init__(self, name: bytes, value: bytes, start: int, value_start: int, end: int) -> None:
        self.name = name
        self.value = value
        self.start = start
        self.value_start = value_start
        """Where the name ends."""
        self.end = end


class StartTag:
    """A start tag. `raw` is its bytes, `name` in lower case; `attributes` are read when they are asked for."""

    __slots__ = ("_attributes", "_edits", "_well_formed", "name", "raw", "self_closing")

    def __init__(
        self, raw: bytes, name: bytes, self_closing: bool, attributes: dict[bytes, Attribute] | None = None
    ) -> None:
        self.raw = raw
        self.name = name
        self.self_closing = self_closing
        self._attributes = attributes
        self._edits: dict[bytes, bytes | None] = {}

    @property
    def attributes(self) -> dict[bytes, Attribute]:
        """The attributes by name in lower case. Of several with one name, the first counts."""
        if self._attributes is None:
            self._attributes = _attributes_of(self.raw)
        return self._attributes

    def get(self, name: bytes) -> str | None:
        """Return the value of an attribute, its references resolved; None if it is not there.

        Bytes above 127 are surrogate escapes, so that `set` writes them as they were.
        """
        if name in self._edits:
            edit = self._edits[name]
            return None if edit is None else resolved(edit)
        found = self.attributes.get(name)
        return None if found is None else resolved(found.value)

    def has(self, name: bytes) -> bool:
        """Return True if the tag has that attribute."""
        return self.get(name) is not None

    def set(self, name: bytes, value: str) -> None:
        """Set an attribute."""
        self._edits[name] = escaped(value)

    def set_escaped(self, name: bytes, value: bytes | None) -> None:
        """Set an attribute to a value that is escaped; None removes it."""
        self._edits[name] = value

    def bytes(self) -> bytes:
        """Return the tag with its edits; without any, exactly as it came."""
        if not self._edits:
            return self.raw
        raw, parts, position = self.raw, [], 0
        added = b""
        changes = []
        for name, value in self._edits.items():
            found = self.attributes.get(name)
            if found is not None:
                changes.append((found, value))
            elif value is not None:
                added += b' %b="%b"' % (name, value)
        end_of_name = 1 + len(self.name)
        parts += [raw[:end_of_name], added]
        position = end_of_name
        for found, value in sorted(changes, key=lambda change: change[0].start):
            if value is None:
                parts.append(raw[position : found.start])
                if raw[found.start - 1 : found.start] == b"/":
                    parts.append(b" ")  # a solidus before ">" would close the element
            else:
                parts += [raw[position : found.value_start], b'="%b"' % value]
                if raw[found.end : found.end + 1] not in b"\t\n\f\r />":
                    parts.append(b" ")
            position = found.end
        parts.append(raw[position:])
        return b"".join(parts)


def _attributes_of(raw: bytes) -> dict[bytes, Attribute]:
    """Return the attributes of a tag that is well-formed."""
    tag = _WELL_FORMED.match(raw)
    assert tag is not None
    attributes: dict[bytes, Attribute] = {}
    for found in _ATTRIBUTES.finditer(raw, tag.start(2), tag.end(2)):
        name = found[1].lower()
        if name not in attributes:
            value = found[found.lastindex or 0] if found.lastindex != 1 else b""
            attributes[name] = Attribute(name, value, found.start(1), found.end(1), found.end())
    return attributes


class TagScan:
    """Reads a tag of any form that may not be complete yet, each attribute once."""

    __slots__ = ("_attributes", "_position", "name")

    def __init__(self, buffer: bytes, origin: int, prefix: int) -> None:
        """Begin to read the tag at `origin` of `buffer`, whose name is complete and begins `prefix` bytes later."""
        found = _NAME.match(buffer, origin + prefix)
        assert found is not None
        self.name = found[0].lower()
        self._position = found.end() - origin
        self._attributes: dict[bytes, Attribute] = {}

    def read(self, buffer: bytes, origin: int) -> StartTag | None:
        """Return the tag if its end is in `buffer`, where it is at `origin`."""
        size = len(buffer)
        while True:
            start = _BETWEEN.match(buffer, origin + self._position).end()  # type: ignore[union-attr]
            if start == size:
                return None
            if buffer[start] == 0x3E:
                closing = buffer[start - 1] == 0x2F and start > origin + self._position
                return StartTag(buffer[origin : start + 1], self.name, closing, self._attributes)
            if not self._attribute(buffer, origin, start):
                return None

    def _attribute(self, buffer: bytes, origin: int, start: int) -> bool:
        """Read an attribute; return False if its end is not known."""
        size = len(buffer)
        named = _ATTRIBUTE_NAME.match(buffer, start)
        assert named is not None
        equals = _SPACE.match(buffer, named.end()).end()  # type: ignore[union-attr]
        if equals == size:
            return False
        if buffer[equals] != 0x3D:
            self._add(named, b"", origin, named.end())
            return True
        begin = _SPACE.match(buffer, equals + 1).end()  # type: ignore[union-attr]
        if begin == size:
            return False
        quote = buffer[begin]
        if quote in b"\"'":
            end = buffer.find(quote, begin + 1)
            if end < 0:
                return False
            self._add(named, buffer[begin + 1 : end], origin, end + 1)
            return True
        end = _UNQUOTED.match(buffer, begin).end()  # type: ignore[union-attr]
        if end == size:
            return False
        self._add(named, buffer[begin:end], origin, end)
        return True

    def _add(self, named: re.Match[bytes], value: bytes, origin: int, end: int) -> None:
        self._position = end - origin
        name = named[0].lower()
        if name not in self._attributes:
            places = (named.start() - origin, named.end() - origin, end - origin)
            self._attributes[name] = Attribute(name, value, *places)


def read_well_formed(buffer: bytes, position: int) -> StartTag | None:
    """Return the start tag at `position` if it is complete and has no odd form."""
    found = _WELL_FORMED.match(buffer, position)
    if found is None:
        return None
    return StartTag(found[0], found[1].lower(), bool(found[3]))


def resolved(value: bytes) -> str:
    """Return an attribute's value with its character references resolved."""
    text = value.decode("ascii", "surrogateescape")
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(found: re.Match[str]) -> str:
    number, name, semicolon, equals = found.groups()
    if number:
        code = int(number[1:], 16) if number[0] in "xX" else int(number.lstrip("0")[:8] or "0")
        known = 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF
        return (chr(code) if known else "\ufffd") + equals
    if semicolon:
        return html5.get(name + ";", f"&{name};") + equals
    return found[0] if equals else html5.get(name, found[0])


def escaped(value: str) -> bytes:
    """Return `value` for an attribute in double quotes, in any encoding that agrees with ASCII."""
    text = _BEYOND_ASCII.sub(_reference, value.translate(_ESCAPED))
    return text.encode("ascii", "surrogateescape")


def escaped_text(value: str) -> bytes:
    """Return `value` as text, in any encoding that agrees with ASCII."""
    return escaped(value)


def _reference(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"
