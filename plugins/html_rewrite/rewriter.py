"""Elements changed by rules while the document streams."""

from __future__ import annotations

from typing import Final

from .document import Document
from .edit import Edit
from .names import (
    BREAKOUT,
    CLOSED_BY_START,
    END_LIMITS,
    FOREIGN,
    FORMATTING,
    HEAD_CONTENT,
    HTML_POINTS,
    RAW_TEXT,
    TABLE_ENDS,
    VOID,
)
from .program import Program
from .stream import MOST_BUFFERED, TokenStream
from .tags import StartTag

MOST_OPEN: Final = 256
"""Deeper elements are changed only in ways that need no end of theirs."""

_BEFORE_HTML, _BEFORE_HEAD, _IN_HEAD, _AFTER_HEAD, _IN_BODY = range(5)
_OUTLINE = frozenset((b"html", b"head", b"body"))
_MOST_EDITS = 256
_SPACES = b"\t\n\f\r "


class Ending:
    """What follows at the end of an element: `append` before its end tag, `after` behind it. `drops` the end tag;
    `resumes` the output, which the element's start tag stopped."""

    __slots__ = ("after", "append", "drops", "resumes")

    def __init__(self, append: bytes, after: bytes, drops: bool, resumes: bool) -> None:
        self.append = append
        self.after = after
        self.drops = drops
        self.resumes = resumes


class OpenElement:
    """An element on the stack, with the bits of the rules' parts that it and its ancestors match."""

    __slots__ = ("ancestors", "bits", "ending", "foreign", "name")

    def __init__(self, name: bytes, foreign: bool, bits: int, ancestors: int, ending: Ending | None) -> None:
        self.name = name
        self.foreign = foreign
        self.bits = bits
        self.ancestors = ancestors
        self.ending = ending


class Rewriter(TokenStream):
    """Rewrites one document. `feed` returns what the chunk became."""

    def __init__(self, program: Program, document: Document) -> None:
        super().__init__()
        self._program = program
        self._document = document
        self._out: list[bytes] = []
        self._stack: list[OpenElement] = []
        self._counts: dict[bytes, int] = {}
        self._unlisted = 0
        self._stopped_by: Ending | None = None
        self._phase = _BEFORE_HTML
        self._edits: dict[tuple[int, ...], Edit] = {}
        self._style: list[bytes] | None = None
        self._style_size = 0

    def feed(self, data: bytes, end: bool) -> bytes:
        """Rewrite the next chunk of the document."""
        self.take(data)
        if end:
            self._finish()
        made = b"".join(self._out)
        self._out.clear()
        return made

    def _finish(self) -> None:
        if self._style is not None:
            self._pass_style(changed=False)
        if not self.within:
            while self._stack:
                self._pop(b"")
        self._emit(self.rest())

    def _emit(self, data: bytes) -> None:
        if self._stopped_by is None and data:
            self._out.append(data)

    # Events of the tokenizer.

    def in_foreign(self) -> bool:
        return bool(self._stack) and self._stack[-1].foreign

    def text(self, data: bytes) -> None:
        if self._phase < _IN_BODY and self._outlining:
            content = data.lstrip(_SPACES)
            if content:
                self._emit(data[: len(data) - len(content)])
                self._begin_body()
                data = content
        self._emit(data)

    def raw_text(self, data: bytes) -> None:
        if self._style is None:
            self._emit(data)
            return
        self._style.append(data)
        self._style_size += len(data)
        if self._style_size > MOST_BUFFERED:
            self._pass_style(changed=False)

    def raw_ended(self) -> None:
        if self._style is not None:
            self._pass_style(changed=self._style_size <= MOST_BUFFERED)

    def _pass_style(self, changed: bool) -> None:
        assert self._style is not None
        content = b"".join(self._style)
        self._style = None
        sheet = self._document.style_sheet
        self._emit(sheet(content) if changed and sheet is not None else content)

    def other(self, data: bytes) -> None:
        self._emit(data)

    def start(self, tag: StartTag) -> None:
        foreign = self._prepare(tag.name)
        if foreign is None:
            self._emit(tag.raw)
        else:
            self._open(tag, foreign)

    def long_start(self, name: bytes) -> None:
        self._prepare(name)

    def long_started(self, name: bytes, self_closing: bool) -> None:
        foreign = self._namespace(name)
        if not self._is_empty(name, foreign, self_closing):
            parent = self._stack[-1].bits if self._stack else 0
            bits, _ = self._program.match(StartTag(b"", name, self_closing, {}), parent, self._ancestors)
            self._push(OpenElement(name, foreign, bits, self._ancestors | bits, None))
        self._note_raw_text(name, foreign)

    # Start tags.

    def _prepare(self, name: bytes) -> bool | None:
        """Close what the start tag of `name` closes; return True if the element is foreign, None if it is html, head or
        body once more."""
        stack = self._stack
        if stack and stack[-1].foreign and name in BREAKOUT and stack[-1].name not in HTML_POINTS:
            while self._stack and stack[-1].foreign and stack[-1].name not in HTML_POINTS:
                self._pop(b"")
        foreign = self._namespace(name)
        if foreign:
            if self._phase < _IN_BODY and self._outlining:
                self._begin_body()
            return foreign
        if self._phase < _IN_BODY:
            if self._outlining:
                self._advance(name)
        elif name in _OUTLINE:
            return None
        for names, limits in CLOSED_BY_START.get(name, ()):
            self._close(names, limits)
        return foreign

    def _namespace(self, name: bytes) -> bool:
        stack = self._stack
        if name in FOREIGN:
            return True
        return bool(stack) and stack[-1].foreign and stack[-1].name not in HTML_POINTS

    @property
    def _outlining(self) -> bool:
        """True if the next token may begin head or body: no other element is open."""
        return not self._stack or self._stack[-1].name in _OUTLINE

    def _advance(self, name: bytes) -> None:
        """Begin html, head and body where the start tag of `name` implies them."""
        if name == b"html":
            self._phase = max(self._phase, _BEFORE_HEAD)
            return
        if self._phase == _BEFORE_HTML:
            self._imply(b"html")
        if name == b"head":
            self._phase = max(self._phase, _IN_HEAD)
        elif name in HEAD_CONTENT:
            if self._phase == _BEFORE_HEAD:
                self._imply(b"head")
        else:
            self._leave_head()
            if name in (b"body", b"frameset"):
                self._phase = _IN_BODY
            else:
                self._imply(b"body")

    def _begin_body(self) -> None:
        if self._phase == _BEFORE_HTML:
            self._imply(b"html")
        self._leave_head()
        self._imply(b"body")

    def _leave_head(self) -> None:
        if self._phase == _BEFORE_HEAD:
            self._imply(b"head")
        if self._phase == _IN_HEAD:
            self._phase = _AFTER_HEAD
            if self._stack and self._stack[-1].name == b"head":
                self._pop(b"")

    def _imply(self, name: bytes) -> None:
        """Open an element whose start tag is missing; write the tag if a rule changes the element."""
        self._phase = {b"html": _BEFORE_HEAD, b"head": _IN_HEAD, b"body": _IN_BODY}[name]
        self._open(StartTag(b"<%b>" % name, name, False, {}), False, implied=True)

    def _close(self, names: frozenset[bytes], limits: frozenset[bytes]) -> None:
        """Close the outermost of `names` that is open within `limits`, and all elements in it."""
        counts = self._counts
        for name in names:
            if counts.get(name):
                break
        else:
            return
        stack, lowest = self._stack, -1
        for index in range(len(stack) - 1, -1, -1):
            element = stack[index]
            if element.foreign or element.name in limits:
                break
            if element.name in names:
                lowest = index
        if lowest >= 0:
            while len(stack) > lowest:
                self._pop(b"")

    @property
    def _ancestors(self) -> int:
        return self._stack[-1].ancestors if self._stack else 0

    def _open(self, tag: StartTag, foreign: bool, implied: bool = False) -> None:
        name, bits, ending = tag.name, 0, None
        ancestors = self._ancestors
        empty = self._is_empty(name, foreign, tag.self_closing)
        if self._stopped_by is None:
            parent = self._stack[-1].bits if self._stack else 0
            bits, selected = self._program.match(tag, parent, ancestors)
            if not implied:
                self._document.edit(tag)
            if selected:
                ending = self._change(tag, selected, empty)
            elif not implied:
                self._out.append(tag.bytes())
        if not empty:
            self._push(OpenElement(name, foreign, bits, ancestors | bits, ending))
        elif ending is not None:
            self._stopped_by = None
            self._emit(ending.after)
        self._note_raw_text(name, foreign)

    def _change(self, tag: StartTag, selected: list[int], empty: bool) -> Ending | None:
        """Write a start tag as the rules change it; return what its end needs."""
        edit = self._edit_of(tuple(selected))
        for key, value in edit.attributes:
            tag.set_escaped(key, value)
        self._emit(edit.before)
        append, stops = b"", edit.removes
        if not edit.removes:
            if not edit.unwraps:
                self._emit(tag.bytes())
            if not empty and len(self._stack) < MOST_OPEN:
                self._emit(edit.prepend)
                append = edit.append
                if edit.content is not None:
                    self._emit(edit.content)
                    stops = True
        if not (append or edit.after or stops or edit.unwraps):
            return None
        ending = Ending(append, edit.after, edit.removes or edit.unwraps, stops)
        if stops:
            self._stopped_by = ending
        return ending

    def _edit_of(self, selected: tuple[int, ...]) -> Edit:
        """Return what the rules of those numbers make of an element together."""
        edit = self._edits.get(selected)
        if edit is None:
            if len(self._edits) == _MOST_EDITS:
                self._edits.clear()
            changes = [self._program.changes[number] for number in selected]
            edit = self._edits[selected] = Edit(changes, self._document.encoded)
        return edit

    def _is_empty(self, name: bytes, foreign: bool, self_closing: bool) -> bool:
        return self_closing if foreign else name in VOID

    def _note_raw_text(self, name: bytes, foreign: bool) -> None:
        if not foreign and name in RAW_TEXT:
            self.raw_element = name
            if name == b"style" and self._document.style_sheet is not None and self._stopped_by is None:
                self._style, self._style_size = [], 0

    def _push(self, element: OpenElement) -> None:
        if len(self._stack) >= MOST_OPEN:
            self._unlisted += 1
            if element.ending is not None and element.ending.resumes:
                self._stopped_by = None
            return
        self._stack.append(element)
        self._counts[element.name] = self._counts.get(element.name, 0) + 1

    # End tags.

    def end(self, name: bytes, raw: bytes) -> None:
        if self._phase < _IN_BODY and self._outlining:
            if name == b"head":
                self._phase = _AFTER_HEAD
            elif name in (b"body", b"html", b"br"):
                self._begin_body()
        if self._unlisted:
            self._unlisted -= 1
            self._emit(raw)
            return
        index = self._opened(name) if self._counts.get(name) else -1
        if index < 0:
            self._emit(raw)
        elif name in (b"body", b"html"):
            self._end_document(index, raw)
        elif name in FORMATTING and self._splits(index):
            self._take_out(index, raw)
        else:
            while len(self._stack) > index + 1:
                self._pop(b"")
            self._pop(raw)

    def _opened(self, name: bytes) -> int:
        """Return the index of the element that the end tag closes, -1 if there is none."""
        stack = self._stack
        for index in range(len(stack) - 1, -1, -1):
            if stack[index].name == name:
                return index
            if stack[index].name in END_LIMITS and not stack[index].foreign and name not in TABLE_ENDS:
                return -1
        return -1

    def _splits(self, index: int) -> bool:
        return any(element.name not in FORMATTING for element in self._stack[index + 1 :])

    def _end_document(self, index: int, raw: bytes) -> None:
        """Close the body: content that follows nevertheless is read as part of it."""
        while len(self._stack) > index:
            self._pop(raw if len(self._stack) == index + 1 else b"")

    def _take_out(self, index: int, raw: bytes) -> None:
        """Close a formatting element, but not the blocks that were opened in it."""
        element = self._stack.pop(index)
        self._counts[element.name] -= 1
        stopped = self._stopped_by
        outside = stopped is not None and all(each.ending is not stopped for each in self._stack[:index])
        if outside and stopped is not element.ending:
            self._stopped_by = None
            self._write_end(element.ending, raw)
            self._stopped_by = stopped
        else:
            self._write_end(element.ending, raw)

    def _pop(self, raw: bytes) -> None:
        element = self._stack.pop()
        self._counts[element.name] -= 1
        self._write_end(element.ending, raw)

    def _write_end(self, ending: Ending | None, raw: bytes) -> None:
        if ending is None:
            self._emit(raw)
            return
        if ending.resumes and self._stopped_by is ending:
            self._stopped_by = None
        self._emit(ending.append)
        if not ending.drops:
            self._emit(raw)
        self._emit(ending.after)
