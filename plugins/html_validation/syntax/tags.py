"""Tags: names, attributes and their errors."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import ErrorList
from .references import check_references

SPACES = "\t\n\f "
# Atomic groups, as possessive ones do not step back after a failure in CPython before 3.11.5 (gh-106052).
_WELL_FORMED = re.compile(
    r"""([a-zA-Z][^\t\n\f\ />\0]*+)
    ((?>(?:[\t\n\f\ ]++[^\t\n\f\ "'<>/=\0]++
        (?>(?:[\t\n\f\ ]*+=[\t\n\f\ ]*+(?:"[^"\0]*+"|'[^'\0]*+'|[^\t\n\f\ "'=<`>\0]++))?)
    )*))
    [\t\n\f\ ]*+(/?)>""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""[\t\n\f\ ]++([^\t\n\f\ "'<>/=\0]++)
    (?>(?:[\t\n\f\ ]*+=[\t\n\f\ ]*+(?:"([^"]*+)"|'([^']*+)'|([^\t\n\f\ >]++)))?)""",
    re.VERBOSE,
)
_NAME = re.compile(r"[^\t\n\f />]*+")
_SPACE = re.compile(r"[\t\n\f ]*+")
_ATTRIBUTE_NAME = re.compile(r".[^\t\n\f />=]*+", re.DOTALL)
_UNQUOTED = re.compile(r"[^\t\n\f >]*+")


@dataclass(slots=True)
class Tag:
    """A start or end tag at `start` of the text; values of attributes are as written, with their references."""

    name: str
    start: int
    attributes: dict[str, str] = field(default_factory=dict)
    self_closing: bool = False


def read_tag(
    text: str, position: int, start: int, errors: ErrorList, closing: bool
) -> tuple[Tag | None, int]:
    """Return the tag whose name is at `position`, and the end of it; None if the text ends in it."""
    found = _WELL_FORMED.match(text, position)
    if found is None:
        return _Reader(text, start, errors).read(position, closing)
    tag = Tag(found[1].lower(), start, {}, bool(found[3]))
    after = found.end()
    if found.end(2) > found.start(2):
        _read_attributes(text, found, tag.attributes, errors)
    if closing:
        _check_end_tag(tag, after - 1, errors)
    return tag, after


def _read_attributes(text: str, tag: re.Match[str], attributes: dict[str, str], errors: ErrorList) -> None:
    for found in _ATTRIBUTE.finditer(text, tag.start(2), tag.end(2)):
        name = found[1].lower()
        if name in attributes:
            errors.add(found.end(1), "duplicate-attribute")
            value = ""
        elif found.lastindex == 1:
            attributes[name] = ""
            continue
        else:
            value = attributes[name] = found[found.lastindex or 0]
        if "&" in value:
            group = found.lastindex or 0
            check_references(text, found.start(group), found.end(group), errors, in_attribute=True)


def _check_end_tag(tag: Tag, offset: int, errors: ErrorList) -> None:
    if tag.attributes:
        errors.add(offset, "end-tag-with-attributes")
    if tag.self_closing:
        errors.add(offset, "end-tag-with-trailing-solidus")


class _Reader:
    """Reads a tag that has an error, or none of the usual forms, state by state."""

    def __init__(self, text: str, start: int, errors: ErrorList) -> None:
        self._text = text
        self._size = len(text)
        self._start = start
        self._errors = errors

    def read(self, position: int, closing: bool) -> tuple[Tag | None, int]:
        text = self._text
        found = _NAME.match(text, position)
        assert found is not None
        self._report_nulls(position, found.end())
        tag = Tag(found[0].lower(), self._start)
        position = found.end()
        while position < self._size:
            position = _SPACE.match(text, position).end()  # type: ignore[union-attr]
            if position == self._size:
                break
            if text[position] == ">":
                if closing:
                    _check_end_tag(tag, position, self._errors)
                return tag, position + 1
            solidus = text[position] == "/"
            position = self._solidus(position + 1, tag) if solidus else self._attribute(position, tag)
        self._errors.add(self._size, "eof-in-tag")
        return None, self._size

    def _solidus(self, position: int, tag: Tag) -> int:
        if position < self._size:
            if self._text[position] == ">":
                tag.self_closing = True
            else:
                self._errors.add(position, "unexpected-solidus-in-tag")
        return position

    def _attribute(self, position: int, tag: Tag) -> int:
        """Read an attribute and return the position behind it."""
        text, errors = self._text, self._errors
        if text[position] == "=":
            errors.add(position, "unexpected-equals-sign-before-attribute-name")
        found = _ATTRIBUTE_NAME.match(text, position)
        assert found is not None
        for offset in range(position, found.end()):
            if text[offset] in "\"'<":
                errors.add(offset, "unexpected-character-in-attribute-name")
            elif text[offset] == "\0":
                errors.add(offset, "unexpected-null-character")
        name, position = found[0].lower(), found.end()
        known = name in tag.attributes
        if known:
            errors.add(position, "duplicate-attribute")
        after = _SPACE.match(text, position).end()  # type: ignore[union-attr]
        value = ""
        if after < self._size and text[after] == "=":
            value, after = self._value(_SPACE.match(text, after + 1).end())  # type: ignore[union-attr]
        if not known:
            tag.attributes[name] = value
        return after

    def _value(self, position: int) -> tuple[str, int]:
        text, errors = self._text, self._errors
        if position == self._size:
            return "", position
        quote = text[position]
        if quote == ">":
            errors.add(position, "missing-attribute-value")
            return "", position
        if quote not in "\"'":
            found = _UNQUOTED.match(text, position)
            assert found is not None
            for offset in range(position, found.end()):
                if text[offset] in "\"'<=`":
                    errors.add(offset, "unexpected-character-in-unquoted-attribute-value")
            return self._checked(position, found.end()), found.end()
        end = text.find(quote, position + 1)
        if end < 0:
            self._checked(position + 1, self._size)
            return "", self._size
        value = self._checked(position + 1, end)
        if end + 1 < self._size and text[end + 1] not in "\t\n\f />":
            errors.add(end + 1, "missing-whitespace-between-attributes")
        return value, end + 1

    def _checked(self, start: int, end: int) -> str:
        self._report_nulls(start, end)
        check_references(self._text, start, end, self._errors, in_attribute=True)
        return self._text[start:end]

    def _report_nulls(self, start: int, end: int) -> None:
        report_nulls(self._text, start, end, self._errors)


def report_nulls(text: str, start: int, end: int, errors: ErrorList) -> None:
    """Report each U+0000 between `start` and `end`."""
    offset = text.find("\0", start, end)
    while offset >= 0:
        errors.add(offset, "unexpected-null-character")
        offset = text.find("\0", offset + 1, end)
