"""Tree construction without a tree: the insertion modes, for the errors of the standard's second stage.

The standard gives codes to errors of the tokenizer only. Those of this stage have the names that html5lib uses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from . import quirks
from .errors import ErrorList
from .markup import Doctype
from .names import BREAKOUT, HTML, MATHML, SVG, VOID, OpenElement
from .open_elements import Formatting, OpenElements
from .raw_text import RAW_TEXT, RCDATA
from .tags import Tag

MOST_OPEN: Final = 512
"""The depth that is checked. Browsers stop nesting at the same depth."""

Mode = str


class Construction:
    """The state of tree construction that errors depend on. The tables of the modes are filled by other modules."""

    starts: Final[dict[Mode, Callable[[Construction, Tag], None]]] = {}
    ends: Final[dict[Mode, Callable[[Construction, Tag], None]]] = {}
    texts: Final[dict[Mode, Callable[[Construction, str, int], None]]] = {}
    finishes: Final[dict[Mode, Callable[[Construction, int], None]]] = {}

    def __init__(self, errors: ErrorList, scripting: bool) -> None:
        self.errors = errors
        self.scripting = scripting
        self.mode: Mode = "initial"
        self.after_text: Mode = ""
        self.template_modes: list[Mode] = []
        self.open = OpenElements()
        self.formatting = Formatting()
        self.quirky = False
        self.frameset_allowed = True
        self.in_form = False
        self.text_element = ""
        self.too_deep = False

    @property
    def in_foreign(self) -> bool:
        """True if the innermost element is not HTML: there, `<![CDATA[` begins a section."""
        stack = self.open.stack
        return bool(stack) and stack[-1].space != HTML

    def report(self, tag: Tag, code: str) -> None:
        """Report an error at a tag."""
        self.errors.add(tag.start, code)

    def doctype(self, doctype: Doctype) -> None:
        """Process a document type."""
        if self.mode != "initial":
            self.errors.add(doctype.start, "unexpected-doctype")
            return
        if not quirks.is_conforming(doctype):
            self.errors.add(doctype.start, "unknown-doctype")
        self.quirky = quirks.is_quirky(doctype)
        self.mode = "before_html"

    def start(self, tag: Tag) -> str:
        """Process a start tag; return the element's name if its content is text only."""
        if self.too_deep:
            return tag.name if tag.name in RAW_TEXT or tag.name in RCDATA or tag.name == "script" else ""
        if self._is_foreign(tag):
            self._start_foreign(tag)
        else:
            self.start_in(self.mode, tag)
        if tag.self_closing and tag.name not in VOID:
            self.report(tag, "non-void-html-element-start-tag-with-trailing-solidus")
        if len(self.open.stack) > MOST_OPEN or len(self.formatting.entries) > MOST_OPEN:
            self.too_deep = True
        element, self.text_element = self.text_element, ""
        return element

    def start_in(self, mode: Mode, tag: Tag) -> None:
        """Process a start tag by the rules of `mode`."""
        Construction.starts[mode](self, tag)

    def start_again(self, mode: Mode, tag: Tag) -> None:
        """Switch to `mode` and process the tag there."""
        self.mode = mode
        self.start_in(mode, tag)

    def end(self, tag: Tag) -> None:
        """Process an end tag."""
        if self.too_deep:
            return
        if self.in_foreign:
            self._end_foreign(tag)
        else:
            self.end_in(self.mode, tag)

    def end_in(self, mode: Mode, tag: Tag) -> None:
        """Process an end tag by the rules of `mode`."""
        Construction.ends[mode](self, tag)

    def end_again(self, mode: Mode, tag: Tag) -> None:
        """Switch to `mode` and process the tag there."""
        self.mode = mode
        self.end_in(mode, tag)

    def characters(self, text: str, offset: int) -> None:
        """Process characters at `offset`."""
        if self.too_deep:
            return
        if self.in_foreign:
            current = self.open.current
            if not (current.text_point or current.html_point):
                if text.strip("\t\n\f \0"):
                    self.frameset_allowed = False
                return
        self.characters_in(self.mode, text, offset)

    def characters_in(self, mode: Mode, text: str, offset: int) -> None:
        """Process characters by the rules of `mode`."""
        Construction.texts[mode](self, text, offset)

    def finish(self, offset: int) -> None:
        """Process the end of the document."""
        if not self.too_deep:
            self.finish_in(self.mode, offset)

    def finish_in(self, mode: Mode, offset: int) -> None:
        """Process the end of the document by the rules of `mode`."""
        Construction.finishes[mode](self, offset)

    def push(self, name: str, tag: Tag | None = None) -> OpenElement:
        """Open an HTML element."""
        element = OpenElement(name, HTML, tag.attributes if tag else {})
        self.open.push(element)
        return element

    def push_text(self, tag: Tag) -> None:
        """Open an element whose content is text."""
        self.push(tag.name, tag)
        self.text_element = tag.name
        self.after_text, self.mode = self.mode, "text"

    def push_foreign(self, tag: Tag, space: int) -> None:
        """Open an element of MathML or SVG."""
        if tag.self_closing:
            tag.self_closing = False
        else:
            self.open.push(OpenElement(tag.name, space, tag.attributes))

    def _is_foreign(self, tag: Tag) -> bool:
        stack = self.open.stack
        if not stack or stack[-1].space == HTML:
            return False
        current = stack[-1]
        if current.text_point and tag.name not in ("mglyph", "malignmark"):
            return False
        if current.space == MATHML and current.name == "annotation-xml" and tag.name == "svg":
            return False
        return not current.html_point

    def _start_foreign(self, tag: Tag) -> None:
        name = tag.name
        if name in BREAKOUT or (
            name == "font" and not tag.attributes.keys().isdisjoint(("color", "face", "size"))
        ):
            self._break_out(tag, "unexpected-html-element-in-foreign-content")
            self.start_in(self.mode, tag)
        else:
            self.push_foreign(tag, self.open.current.space)

    def _break_out(self, tag: Tag, code: str) -> None:
        self.report(tag, code)
        while not (
            self.open.current.space == HTML or self.open.current.text_point or self.open.current.html_point
        ):
            self.open.pop()

    def _end_foreign(self, tag: Tag) -> None:
        if tag.name in ("br", "p"):
            self._break_out(tag, "unexpected-end-tag")
            self.end_in(self.mode, tag)
            return
        stack = self.open.stack
        if stack[-1].name != tag.name:
            self.report(tag, "unexpected-end-tag")
            if not self.open.holds_foreign(tag.name):
                self.end_in(self.mode, tag)
                return
        for depth in range(len(stack) - 1, 0, -1):
            if stack[depth].space == HTML:
                self.end_in(self.mode, tag)
                return
            if stack[depth].name == tag.name:
                while len(stack) > depth:
                    self.open.pop()
                return

    def reconstruct(self) -> None:
        """Open the formatting elements again that were closed by their parents' ends."""
        entries = self.formatting.entries
        if not entries or (last := entries[-1]) is None or last.is_open:
            return
        index = len(entries) - 1
        while index and (before := entries[index - 1]) is not None and not before.is_open:
            index -= 1
        for place in range(index, len(entries)):
            entry = entries[place]
            assert entry is not None
            again = OpenElement(entry.name, HTML, entry.attributes)
            self.open.push(again)
            entries[place] = again

    def close_p(self, tag: Tag) -> None:
        """Close the open `p`."""
        self.open.imply_ends("p")
        if not self.open.is_current("p"):
            self.report(tag, "unexpected-start-tag-implies-end-tag")
        self.open.pop_until(("p",))

    def reset_mode(self) -> None:
        """Choose the mode by the innermost elements."""
        for element in reversed(self.open.stack):
            if element.space != HTML:
                continue
            name = element.name
            if name in _RESET:
                self.mode = _RESET[name]
                return
            if name == "template":
                self.mode = self.template_modes[-1]
                return
        self.mode = "before_head"


_RESET: Final = {
    "td": "in_cell",
    "th": "in_cell",
    "tr": "in_row",
    "tbody": "in_table_body",
    "thead": "in_table_body",
    "tfoot": "in_table_body",
    "caption": "in_caption",
    "colgroup": "in_column_group",
    "table": "in_table",
    "head": "in_head",
    "body": "in_body",
    "frameset": "in_frameset",
    "html": "after_head",
}

__all__ = ["MATHML", "SVG", "Construction"]
