"""The insertion mode of the body, and that of templates."""

from __future__ import annotations

from .adoption import adopt, end_other
from .body_starts import start_in_body
from .construction import Construction
from .head_modes import end_in_head, end_template, start_in_head
from .names import BLOCK_ENDS, BUTTON_SCOPE, FORMATTING, HEADINGS, HTML, IN_HEAD, LIST_SCOPE, MAY_STAY_OPEN
from .tags import SPACES, Tag


def end_in_body(state: Construction, tag: Tag) -> None:
    """Process an end tag in the body."""
    name = tag.name
    if name in FORMATTING:
        adopt(state, tag)
    elif name in ("body", "html"):
        _end_body(state, tag)
    elif name in BLOCK_ENDS:
        _end_block(state, tag)
    elif name == "form":
        _end_form(state, tag)
    elif name == "p":
        _end_p(state, tag)
    elif name in ("li", "dd", "dt"):
        _end_item(state, tag)
    elif name in HEADINGS:
        _end_heading(state, tag)
    elif name in ("applet", "marquee", "object"):
        _end_object(state, tag)
    elif name == "template":
        end_template(state, tag)
    elif name == "br":
        state.report(tag, "unexpected-end-tag-treated-as")
        state.reconstruct()
        state.frameset_allowed = False
    else:
        end_other(state, tag)


def _end_body(state: Construction, tag: Tag) -> None:
    if not state.open.name_in_scope("body"):
        state.report(tag, "unexpected-end-tag")
        return
    if _has_unclosed(state):
        state.report(tag, "expected-one-end-tag-but-got-another")
    if tag.name == "body":
        state.mode = "after_body"
    else:
        state.end_again("after_body", tag)


def _has_unclosed(state: Construction) -> bool:
    return any(element.space != HTML or element.name not in MAY_STAY_OPEN for element in state.open.stack)


def _end_block(state: Construction, tag: Tag) -> None:
    if not state.open.name_in_scope(tag.name):
        state.report(tag, "unexpected-end-tag")
        return
    state.open.imply_ends()
    if not state.open.is_current(tag.name):
        state.report(tag, "end-tag-too-early")
    state.open.pop_until((tag.name,))


def _end_form(state: Construction, tag: Tag) -> None:
    if state.open.holds("template"):
        _end_block(state, tag)
        return
    was_in_form, state.in_form = state.in_form, False
    if not was_in_form or not state.open.name_in_scope("form"):
        state.report(tag, "unexpected-end-tag")
        return
    state.open.imply_ends()
    if not state.open.is_current("form"):
        state.report(tag, "end-tag-too-early-ignored")
    form = next(each for each in reversed(state.open.stack) if each.space == HTML and each.name == "form")
    state.open.remove(form)


def _end_p(state: Construction, tag: Tag) -> None:
    if not state.open.name_in_scope("p", BUTTON_SCOPE):
        state.report(tag, "unexpected-end-tag")
        return
    state.open.imply_ends("p")
    if not state.open.is_current("p"):
        state.report(tag, "end-tag-too-early")
    state.open.pop_until(("p",))


def _end_item(state: Construction, tag: Tag) -> None:
    in_scope = (
        state.open.name_in_scope(tag.name, LIST_SCOPE)
        if tag.name == "li"
        else state.open.name_in_scope(tag.name)
    )
    if not in_scope:
        state.report(tag, "unexpected-end-tag")
        return
    state.open.imply_ends(tag.name)
    if not state.open.is_current(tag.name):
        state.report(tag, "end-tag-too-early")
    state.open.pop_until((tag.name,))


def _end_heading(state: Construction, tag: Tag) -> None:
    if not state.open.in_scope(HEADINGS):
        state.report(tag, "unexpected-end-tag")
        return
    state.open.imply_ends()
    if not state.open.is_current(tag.name):
        state.report(tag, "end-tag-too-early")
    state.open.pop_until(HEADINGS)


def _end_object(state: Construction, tag: Tag) -> None:
    if not state.open.name_in_scope(tag.name):
        state.report(tag, "unexpected-end-tag")
        return
    _end_block(state, tag)
    state.formatting.clear()


def _text_in_body(state: Construction, text: str, offset: int) -> None:
    if not text.strip("\0"):
        return  # reported by the tokenizer, and left out
    state.reconstruct()
    if state.frameset_allowed and text.strip(SPACES + "\0"):
        state.frameset_allowed = False


def finish_in_body(state: Construction, offset: int) -> None:
    """Report elements that the document leaves open."""
    if state.template_modes:
        _finish_in_template(state, offset)
    elif _has_unclosed(state):
        state.errors.add(offset, "expected-closing-tag-but-got-eof")


def _start_in_template(state: Construction, tag: Tag) -> None:
    name = tag.name
    if name in IN_HEAD:
        start_in_head(state, tag)
        return
    if name in ("caption", "colgroup", "tbody", "tfoot", "thead"):
        mode = "in_table"
    elif name == "col":
        mode = "in_column_group"
    elif name == "tr":
        mode = "in_table_body"
    elif name in ("td", "th"):
        mode = "in_row"
    else:
        mode = "in_body"
    state.template_modes[-1] = mode
    state.start_again(mode, tag)


def _end_in_template(state: Construction, tag: Tag) -> None:
    if tag.name == "template":
        end_in_head(state, tag)
    else:
        state.report(tag, "unexpected-end-tag")


def _finish_in_template(state: Construction, offset: int) -> None:
    if state.open.holds("template"):
        state.errors.add(offset, "expected-closing-tag-but-got-eof")


Construction.starts["in_body"] = start_in_body
Construction.ends["in_body"] = end_in_body
Construction.texts["in_body"] = _text_in_body
Construction.finishes["in_body"] = finish_in_body
Construction.starts["in_template"] = _start_in_template
Construction.ends["in_template"] = _end_in_template
Construction.texts["in_template"] = _text_in_body
Construction.finishes["in_template"] = _finish_in_template
