"""The insertion modes up to the body, and those behind it."""

from __future__ import annotations

from .construction import Construction, Mode
from .names import IN_HEAD, THOROUGH_ENDS
from .tags import SPACES, Tag

_OPENING_ENDS = ("head", "body", "html", "br")


def _start_initial(state: Construction, tag: Tag) -> None:
    state.report(tag, "expected-doctype-but-got-start-tag")
    state.quirky = True
    state.start_again("before_html", tag)


def _end_initial(state: Construction, tag: Tag) -> None:
    state.report(tag, "expected-doctype-but-got-end-tag")
    state.quirky = True
    state.end_again("before_html", tag)


def _text_initial(state: Construction, text: str, offset: int) -> None:
    content = text.lstrip(SPACES)
    if content:
        offset += len(text) - len(content)
        state.errors.add(offset, "expected-doctype-but-got-chars")
        state.quirky = True
        state.mode = "before_html"
        state.characters_in("before_html", content, offset)


def _finish_initial(state: Construction, offset: int) -> None:
    state.errors.add(offset, "expected-doctype-but-got-eof")


def _start_before_html(state: Construction, tag: Tag) -> None:
    if tag.name == "html":
        state.push("html", tag)
        state.mode = "before_head"
    else:
        state.push("html")
        state.start_again("before_head", tag)


def _end_before_html(state: Construction, tag: Tag) -> None:
    if tag.name in _OPENING_ENDS:
        state.push("html")
        state.end_again("before_head", tag)
    else:
        state.report(tag, "unexpected-end-tag")


def _text_before_html(state: Construction, text: str, offset: int) -> None:
    content = text.lstrip(SPACES)
    if content:
        state.push("html")
        state.mode = "before_head"
        state.characters_in("before_head", content, offset + len(text) - len(content))


def _start_before_head(state: Construction, tag: Tag) -> None:
    if tag.name == "html":
        state.start_in("in_body", tag)
    elif tag.name == "head":
        state.push("head", tag)
        state.mode = "in_head"
    else:
        state.push("head")
        state.start_again("in_head", tag)


def _end_before_head(state: Construction, tag: Tag) -> None:
    if tag.name in _OPENING_ENDS:
        state.push("head")
        state.end_again("in_head", tag)
    else:
        state.report(tag, "unexpected-end-tag")


def _text_before_head(state: Construction, text: str, offset: int) -> None:
    content = text.lstrip(SPACES)
    if content:
        state.push("head")
        state.mode = "in_head"
        state.characters_in("in_head", content, offset + len(text) - len(content))


def start_in_head(state: Construction, tag: Tag) -> None:
    """Process a start tag in the head."""
    name = tag.name
    if name == "html":
        state.start_in("in_body", tag)
    elif name == "template":
        state.push("template", tag)
        state.formatting.mark()
        state.frameset_allowed = False
        state.mode = "in_template"
        state.template_modes.append("in_template")
    elif name in ("title", "noframes", "style", "script") or (name == "noscript" and state.scripting):
        state.push_text(tag)
    elif name == "noscript":
        state.push("noscript", tag)
        state.mode = "in_head_noscript"
    elif name == "head":
        state.report(tag, "unexpected-start-tag")
    elif name not in IN_HEAD:
        state.open.pop()
        state.start_again("after_head", tag)


def end_in_head(state: Construction, tag: Tag) -> None:
    """Process an end tag in the head."""
    if tag.name == "head":
        state.open.pop()
        state.mode = "after_head"
    elif tag.name == "template":
        end_template(state, tag)
    elif tag.name in ("body", "html", "br"):
        state.open.pop()
        state.end_again("after_head", tag)
    else:
        state.report(tag, "unexpected-end-tag")


def end_template(state: Construction, tag: Tag) -> None:
    """Process the end tag of a template."""
    if not state.open.holds("template"):
        state.report(tag, "unexpected-end-tag")
        return
    state.open.imply_ends(names=THOROUGH_ENDS)
    if not state.open.is_current("template"):
        state.report(tag, "end-tag-too-early")
    state.open.pop_until(("template",))
    state.formatting.clear()
    state.template_modes.pop()
    state.reset_mode()


def _text_in_head(state: Construction, text: str, offset: int) -> None:
    content = text.lstrip(SPACES)
    if content:
        state.open.pop()
        state.mode = "after_head"
        state.characters_in("after_head", content, offset + len(text) - len(content))


def _start_in_head_noscript(state: Construction, tag: Tag) -> None:
    name = tag.name
    if name == "html":
        state.start_in("in_body", tag)
    elif name in ("basefont", "bgsound", "link", "meta", "noframes", "style"):
        start_in_head(state, tag)
    elif name in ("head", "noscript"):
        state.report(tag, "unexpected-start-tag")
    else:
        state.report(tag, "unexpected-start-tag")
        state.open.pop()
        state.start_again("in_head", tag)


def _end_in_head_noscript(state: Construction, tag: Tag) -> None:
    if tag.name == "noscript":
        state.open.pop()
        state.mode = "in_head"
        return
    state.report(tag, "unexpected-end-tag")
    if tag.name == "br":
        state.open.pop()
        state.end_again("in_head", tag)


def _text_in_head_noscript(state: Construction, text: str, offset: int) -> None:
    content = text.lstrip(SPACES)
    if content:
        offset += len(text) - len(content)
        state.errors.add(offset, "unexpected-char-in-noscript")
        state.open.pop()
        state.mode = "in_head"
        state.characters_in("in_head", content, offset)


def _finish_in_head_noscript(state: Construction, offset: int) -> None:
    state.errors.add(offset, "expected-closing-tag-but-got-eof")


def _start_after_head(state: Construction, tag: Tag) -> None:
    name = tag.name
    if name == "html":
        state.start_in("in_body", tag)
    elif name == "body":
        state.push("body", tag)
        state.frameset_allowed = False
        state.mode = "in_body"
    elif name == "frameset":
        state.push("frameset", tag)
        state.mode = "in_frameset"
    elif name in IN_HEAD:
        state.report(tag, "unexpected-start-tag-out-of-my-head")
        head = state.push("head")
        start_in_head(state, tag)
        state.open.remove(head)
    elif name == "head":
        state.report(tag, "unexpected-start-tag")
    else:
        state.push("body")
        state.start_again("in_body", tag)


def _end_after_head(state: Construction, tag: Tag) -> None:
    if tag.name == "template":
        end_template(state, tag)
    elif tag.name in ("body", "html", "br"):
        state.push("body")
        state.end_again("in_body", tag)
    else:
        state.report(tag, "unexpected-end-tag")


def _text_after_head(state: Construction, text: str, offset: int) -> None:
    content = text.lstrip(SPACES)
    if content:
        state.push("body")
        state.mode = "in_body"
        state.characters_in("in_body", content, offset + len(text) - len(content))


def _end_text(state: Construction, tag: Tag) -> None:
    state.open.pop()
    state.mode = state.after_text


def _finish_text(state: Construction, offset: int) -> None:
    state.errors.add(offset, "expected-named-closing-tag-but-got-eof")


def _start_after_body(state: Construction, tag: Tag) -> None:
    if tag.name == "html":
        state.start_in("in_body", tag)
    else:
        state.report(tag, "unexpected-start-tag-after-body")
        state.start_again("in_body", tag)


def _end_after_body(state: Construction, tag: Tag) -> None:
    if tag.name == "html":
        state.mode = "after_after_body"
    else:
        state.report(tag, "unexpected-end-tag-after-body")
        state.end_again("in_body", tag)


def _text_after_body(state: Construction, text: str, offset: int) -> None:
    content = text.lstrip(SPACES)
    if content:
        offset += len(text) - len(content)
        state.errors.add(offset, "unexpected-char-after-body")
        state.mode = "in_body"
        state.characters_in("in_body", content, offset)


def _end_after_after_body(state: Construction, tag: Tag) -> None:
    state.report(tag, "unexpected-end-tag-after-body")
    state.end_again("in_body", tag)


def _start_in_frameset(state: Construction, tag: Tag) -> None:
    name = tag.name
    if name == "html":
        state.start_in("in_body", tag)
    elif name == "frameset":
        state.push("frameset", tag)
    elif name == "noframes":
        state.push_text(tag)
    elif name != "frame":
        state.report(tag, "unexpected-start-tag-in-frameset")


def _end_in_frameset(state: Construction, tag: Tag) -> None:
    if tag.name != "frameset" or len(state.open.stack) == 1:
        state.report(tag, "unexpected-end-tag-in-frameset")
        return
    state.open.pop()
    if not state.open.is_current("frameset"):
        state.mode = "after_frameset"


def _finish_in_frameset(state: Construction, offset: int) -> None:
    if len(state.open.stack) > 1:
        state.errors.add(offset, "eof-in-frameset")


def _text_in_frameset(state: Construction, text: str, offset: int) -> None:
    content = text.lstrip(SPACES)
    if content:
        state.errors.add(offset + len(text) - len(content), "unexpected-char-in-frameset")


def _start_after_frameset(state: Construction, tag: Tag) -> None:
    if tag.name == "html":
        state.start_in("in_body", tag)
    elif tag.name == "noframes":
        state.push_text(tag)
    else:
        state.report(tag, "unexpected-start-tag-after-frameset")


def _end_after_frameset(state: Construction, tag: Tag) -> None:
    if tag.name == "html" and state.mode == "after_frameset":
        state.mode = "after_after_frameset"
    else:
        state.report(tag, "unexpected-end-tag-after-frameset")


def _finish(state: Construction, offset: int) -> None:
    """Do nothing: the document may end here."""


def _ignore_text(state: Construction, text: str, offset: int) -> None:
    """Do nothing: any text may stand here."""


def _add(mode: Mode, start: object, end: object, text: object, finish: object = _finish) -> None:
    Construction.starts[mode] = start  # type: ignore[assignment]
    Construction.ends[mode] = end  # type: ignore[assignment]
    Construction.texts[mode] = text  # type: ignore[assignment]
    Construction.finishes[mode] = finish  # type: ignore[assignment]


def register() -> None:
    """Fill the tables with the modes of this module."""
    _add("initial", _start_initial, _end_initial, _text_initial, _finish_initial)
    _add("before_html", _start_before_html, _end_before_html, _text_before_html)
    _add("before_head", _start_before_head, _end_before_head, _text_before_head)
    _add("in_head", start_in_head, end_in_head, _text_in_head)
    _add(
        "in_head_noscript",
        _start_in_head_noscript,
        _end_in_head_noscript,
        _text_in_head_noscript,
        _finish_in_head_noscript,
    )
    _add("after_head", _start_after_head, _end_after_head, _text_after_head)
    _add("text", start_in_head, _end_text, _ignore_text, _finish_text)
    _add("after_body", _start_after_body, _end_after_body, _text_after_body)
    _add("after_after_body", _start_after_body, _end_after_after_body, _text_after_body)
    _add("in_frameset", _start_in_frameset, _end_in_frameset, _text_in_frameset, _finish_in_frameset)
    _add("after_frameset", _start_after_frameset, _end_after_frameset, _text_in_frameset)
    _add("after_after_frameset", _start_after_frameset, _end_after_frameset, _text_in_frameset)


register()
