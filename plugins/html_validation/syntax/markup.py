"""Comments, document types and what begins like them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import ErrorList
from .tags import report_nulls

_IN_COMMENT = re.compile(r"-->|--!>|<!--")
_SPACE = re.compile(r"[\t\n\f ]*+")
_TARGET = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*+")
_DOCTYPE_NAME = re.compile(r"[^\t\n\f >]*+")


def skip_comment(text: str, position: int, errors: ErrorList) -> int:
    """Return the end of the comment whose content begins at `position`."""
    for abrupt in (">", "->"):
        if text.startswith(abrupt, position):
            errors.add(position + len(abrupt) - 1, "abrupt-closing-of-empty-comment")
            return position + len(abrupt)
    at = position
    while found := _IN_COMMENT.search(text, at):
        if found[0] == "<!--":
            following = text[found.end() : found.end() + 1]
            if following not in ("", ">"):
                errors.add(found.end(), "nested-comment")
            at = found.start() + 2
            continue
        report_nulls(text, position, found.start(), errors)
        if found[0] == "--!>":
            errors.add(found.end() - 1, "incorrectly-closed-comment")
        return found.end()
    report_nulls(text, position, len(text), errors)
    errors.add(len(text), "eof-in-comment")
    return len(text)


def skip_bogus_comment(text: str, position: int, errors: ErrorList) -> int:
    """Return the end of what the parser treats as a comment up to the next `>`."""
    end = text.find(">", position)
    report_nulls(text, position, len(text) if end < 0 else end, errors)
    return len(text) if end < 0 else end + 1


def skip_instruction(text: str, position: int, errors: ErrorList) -> int:
    """Return the end of the processing instruction at whose target `position` is, or of the comment it is read as."""
    target = _TARGET.match(text, position)
    end = target.end() if target else position
    if end == len(text):
        errors.add(end, "eof-in-processing-instruction")
        return end
    if target is None:
        errors.add(end, "invalid-first-character-of-processing-instruction-target")
    elif text[end] not in "\t\n\f ?>":
        errors.add(end, "invalid-processing-instruction-target")
    elif target[0].lower() in ("xml", "xml-stylesheet"):
        errors.add(end, "disallowed-processing-instruction-target")
    else:
        closing = text.find(">", end)
        if closing < 0:
            errors.add(len(text), "eof-in-processing-instruction")
        return len(text) if closing < 0 else closing + 1
    return skip_bogus_comment(text, end, errors)


@dataclass(slots=True)
class Doctype:
    """A document type at `start` of the text; an identifier that is missing is None."""

    start: int
    name: str | None = None
    public: str | None = None
    system: str | None = None
    force_quirks: bool = False


def read_doctype(text: str, position: int, start: int, errors: ErrorList) -> tuple[Doctype, int]:
    """Return the document type whose word DOCTYPE ends at `position`, and the end of it."""
    doctype = Doctype(start)
    reader = _DoctypeReader(text, doctype, errors)
    return doctype, reader.read(position)


class _DoctypeReader:
    def __init__(self, text: str, doctype: Doctype, errors: ErrorList) -> None:
        self._text = text
        self._size = len(text)
        self._doctype = doctype
        self._errors = errors

    def read(self, position: int) -> int:
        text, errors = self._text, self._errors
        after = self._spaces(position)
        if after == position and after < self._size and text[after] != ">":
            errors.add(after, "missing-whitespace-before-doctype-name")
        if after == self._size:
            return self._ended()
        if text[after] == ">":
            errors.add(after, "missing-doctype-name")
            self._doctype.force_quirks = True
            return after + 1
        name = _DOCTYPE_NAME.match(text, after)
        assert name is not None
        report_nulls(text, after, name.end(), errors)
        self._doctype.name = name[0].lower()
        position = self._spaces(name.end())
        if position == self._size:
            return self._ended()
        if text[position] == ">":
            return position + 1
        word = text[position : position + 6].lower()
        if word in ("public", "system"):
            return self._identifiers(position + 6, word)
        errors.add(position, "invalid-character-sequence-after-doctype-name")
        self._doctype.force_quirks = True
        return self._bogus(position)

    def _identifiers(self, position: int, word: str) -> int:
        after = self._spaces(position)
        if after == self._size:
            return self._ended()
        character = self._text[after]
        if character == ">":
            self._errors.add(after, f"missing-doctype-{word}-identifier")
            self._doctype.force_quirks = True
            return after + 1
        if character not in "\"'":
            self._errors.add(after, f"missing-quote-before-doctype-{word}-identifier")
            self._doctype.force_quirks = True
            return self._bogus(after)
        if after == position:
            self._errors.add(after, f"missing-whitespace-after-doctype-{word}-keyword")
        position, closed = self._quoted(after, word)
        if not closed:
            return position
        return self._after_public(position) if word == "public" else self._after_system(position)

    def _after_public(self, position: int) -> int:
        after = self._spaces(position)
        if after == self._size:
            return self._ended()
        character = self._text[after]
        if character == ">":
            return after + 1
        if character not in "\"'":
            self._errors.add(after, "missing-quote-before-doctype-system-identifier")
            self._doctype.force_quirks = True
            return self._bogus(after)
        if after == position:
            self._errors.add(after, "missing-whitespace-between-doctype-public-and-system-identifiers")
        position, closed = self._quoted(after, "system")
        return self._after_system(position) if closed else position

    def _after_system(self, position: int) -> int:
        position = self._spaces(position)
        if position == self._size:
            return self._ended()
        if self._text[position] == ">":
            return position + 1
        self._errors.add(position, "unexpected-character-after-doctype-system-identifier")
        return self._bogus(position)

    def _quoted(self, position: int, word: str) -> tuple[int, bool]:
        """Read an identifier; return the position behind it, and True if its quote was closed."""
        text, begin = self._text, position + 1
        abrupt, quote = text.find(">", begin), text.find(text[position], begin)
        ends = [each for each in (abrupt, quote) if each >= 0]
        end = min(ends) if ends else self._size
        report_nulls(text, begin, end, self._errors)
        setattr(self._doctype, word, text[begin:end])
        if not ends:
            return self._ended(), False
        if end == quote:
            return end + 1, True
        self._errors.add(end, f"abrupt-doctype-{word}-identifier")
        self._doctype.force_quirks = True
        return end + 1, False

    def _bogus(self, position: int) -> int:
        return skip_bogus_comment(self._text, position, self._errors)

    def _ended(self) -> int:
        self._errors.add(self._size, "eof-in-doctype")
        self._doctype.force_quirks = True
        return self._size

    def _spaces(self, position: int) -> int:
        found = _SPACE.match(self._text, position)
        assert found is not None
        return found.end()
