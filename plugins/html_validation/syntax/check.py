"""The check of a document: tokenizer and tree construction, in slices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from . import body_modes, head_modes, table_modes  # noqa: F401  (they fill the tables of modes)
from .construction import Construction
from .errors import ErrorList, ParseError, located
from .markup import read_doctype, skip_bogus_comment, skip_comment, skip_instruction
from .raw_text import skip_text
from .references import check_references
from .tags import read_tag, report_nulls

_SLICE = 400
"""Tokens in a slice: about 2 ms of work."""
_LONGEST_TEXT = 1 << 14
_CONTROL = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_NONCHARACTER = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)
_NONCHARACTER_IN_UTF8 = re.compile(
    rb"\xef(?:\xb7[\x90-\xaf]|\xbf[\xbe\xbf])|[\xf0-\xf4].\xbf[\xbe\xbf]|\xed[\xa0-\xbf]", re.DOTALL
)
"""Matches wherever `_NONCHARACTER` does, five times as fast."""


class Check:
    """Checks `text`; `run` yields after each slice of the work. `errors` are complete once it has ended.

    Errors whose codes are `ignored` do not count. A `truncated` text has no errors at its end.
    """

    def __init__(
        self,
        text: str,
        *,
        most_errors: int = 100,
        scripting: bool = True,
        ignored: frozenset[str] = frozenset(),
        truncated: bool = False,
    ) -> None:
        text = text.removeprefix("\ufeff")
        self._text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
        end = len(self._text) if truncated else len(self._text) + 1
        self._found = ErrorList(most_errors, ignored, end)
        self._in_stream = ErrorList(most_errors, ignored, end)
        self._most = most_errors
        self._construction = Construction(self._found, scripting)
        self.finished = False

    @property
    def count(self) -> int:
        """The number of errors found so far."""
        return self._found.count + self._in_stream.count

    @property
    def errors(self) -> list[ParseError]:
        """The first errors, in the order of their places."""
        return located(self._text, self._found.kept + self._in_stream.kept)[: self._most]

    @property
    def too_deep(self) -> bool:
        """True if the document nests deeper than is checked."""
        return self._construction.too_deep

    def run(self) -> Iterator[None]:
        """Check, and yield after each slice."""
        text, position, tokens = self._text, 0, 0
        size = len(text)
        while position < size:
            position = self._markup(position) if text[position] == "<" else self._characters(position)
            tokens += 1
            if tokens % _SLICE == 0:
                yield
        self._construction.finish(size)
        self._check_stream()
        self.finished = True

    def _check_stream(self) -> None:
        text, errors = self._text, self._in_stream
        for found in _CONTROL.finditer(text):
            errors.add(found.start(), "control-character-in-input-stream")
        if text.isascii() or not _NONCHARACTER_IN_UTF8.search(text.encode("utf-8", "surrogatepass")):
            return
        for found in _NONCHARACTER.finditer(text):
            surrogate = "\ud800" <= found[0] <= "\udfff"
            errors.add(found.start(), f"{'surrogate' if surrogate else 'noncharacter'}-in-input-stream")

    def _characters(self, position: int) -> int:
        text = self._text
        end = text.find("<", position)
        if end < 0:
            end = len(text)
        if end - position > _LONGEST_TEXT:
            end = self._cut(position)
        content = text[position:end]
        if "\0" in content:
            report_nulls(text, position, end, self._found)
        if "&" in content:
            check_references(text, position, end, self._found)
            content = unescape(content)
        self._construction.characters(content, position)
        return end

    def _cut(self, position: int) -> int:
        """Return a position within a long text that is not in a character reference."""
        end = position + _LONGEST_TEXT
        reference = self._text.rfind("&", end - 40, end)
        return reference if reference > position else end

    def _markup(self, position: int) -> int:
        text, errors = self._text, self._found
        following = text[position + 1 : position + 2]
        if following.isalpha() and following.isascii():
            return self._start_tag(position)
        if following == "/":
            return self._end_tag(position)
        if following == "!":
            return self._declaration(position)
        if following == "?":
            return skip_instruction(text, position + 2, errors)
        code = "invalid-first-character-of-tag-name" if following else "eof-before-tag-name"
        errors.add(position + 1, code)
        self._construction.characters("<", position)
        return position + 1

    def _start_tag(self, position: int) -> int:
        tag, end = read_tag(self._text, position + 1, position, self._found, closing=False)
        if tag is not None:
            element = self._construction.start(tag)
            if element:
                return skip_text(self._text, end, element, self._found)
        return end

    def _end_tag(self, position: int) -> int:
        text, errors = self._text, self._found
        following = text[position + 2 : position + 3]
        if following.isalpha() and following.isascii():
            tag, end = read_tag(text, position + 2, position, errors, closing=True)
            if tag is not None:
                self._construction.end(tag)
            return end
        if not following:
            errors.add(position + 2, "eof-before-tag-name")
            self._construction.characters("</", position)
            return position + 2
        if following == ">":
            errors.add(position + 2, "missing-end-tag-name")
            return position + 3
        errors.add(position + 2, "invalid-first-character-of-tag-name")
        return skip_bogus_comment(text, position + 2, errors)

    def _declaration(self, position: int) -> int:
        text, errors = self._text, self._found
        if text.startswith("--", position + 2):
            return skip_comment(text, position + 4, errors)
        if text[position + 2 : position + 9].lower() == "doctype":
            doctype, end = read_doctype(text, position + 9, position, errors)
            self._construction.doctype(doctype)
            return end
        if text.startswith("[CDATA[", position + 2):
            if self._construction.in_foreign:
                return self._cdata(position + 9)
            errors.add(position + 8, "cdata-in-html-content")
        else:
            errors.add(position + 2, "incorrectly-opened-comment")
        return skip_bogus_comment(text, position + 2, errors)

    def _cdata(self, position: int) -> int:
        end = self._text.find("]]>", position)
        if end < 0:
            self._found.add(len(self._text), "eof-in-cdata")
            end = len(self._text)
        self._construction.characters(self._text[position:end], position)
        return min(end + 3, len(self._text))


def check(text: str, *, most_errors: int = 100, scripting: bool = True) -> list[ParseError]:
    """Return the first parse errors of a document."""
    whole = Check(text, most_errors=most_errors, scripting=scripting)
    for _ in whole.run():
        pass
    return whole.errors
