"""The insertion modes in tables."""

from __future__ import annotations

from .body_modes import end_in_body, finish_in_body
from .body_starts import start_in_body
from .construction import Construction
from .head_modes import end_in_head, start_in_head
from .names import TABLE_CONTEXT, TABLE_PARTS, TABLE_SCOPE
from .tags import SPACES, Tag

_TABLE_CONTEXT = ("table", "template", "html")
_BODY_CONTEXT = ("tbody", "tfoot", "thead", "template", "html")
_ROW_CONTEXT = ("tr", "template", "html")
_BODIES = ("tbody", "tfoot", "thead")


def _in_table(state: Construction, name: str) -> bool:
    return state.open.name_in_scope(name, TABLE_SCOPE)


def _start_in_table(state: Construction, tag: Tag) -> None:
    name = tag.name
    if name in TABLE_PARTS:
        _start_part(state, tag)
    elif name == "table":
        state.report(tag, "unexpected-start-tag-implies-end-tag")
        if _in_table(state, "table"):
            state.open.pop_until(("table",))
            state.reset_mode()
            state.start_in(state.mode, tag)
    elif name in ("style", "script", "template"):
        start_in_head(state, tag)
    elif name == "input" and tag.attributes.get("type", "").lower() == "hidden":
        state.report(tag, "unexpected-hidden-input-in-table")
    elif name == "form":
        state.report(tag, "unexpected-form-in-table")
        if not state.in_form and not state.open.holds("template"):
            state.in_form = True
    else:
        state.report(tag, "unexpected-start-tag-implies-table-voodoo")
        start_in_body(state, tag)


def _start_part(state: Construction, tag: Tag) -> None:
    state.open.pop_to(_TABLE_CONTEXT)
    name = tag.name
    if name == "caption":
        state.formatting.mark()
        state.push("caption", tag)
        state.mode = "in_caption"
    elif name == "colgroup":
        state.push("colgroup", tag)
        state.mode = "in_column_group"
    elif name == "col":
        state.push("colgroup")
        state.start_again("in_column_group", tag)
    elif name in _BODIES:
        state.push(name, tag)
        state.mode = "in_table_body"
    else:
        state.push("tbody")
        state.start_again("in_table_body", tag)


def _end_in_table(state: Construction, tag: Tag) -> None:
    name = tag.name
    if name == "table":
        if not _in_table(state, "table"):
            state.report(tag, "unexpected-end-tag")
            return
        state.open.pop_until(("table",))
        state.reset_mode()
    elif name in TABLE_PARTS or name in ("body", "html"):
        state.report(tag, "unexpected-end-tag")
    elif name == "template":
        end_in_head(state, tag)
    else:
        state.report(tag, "unexpected-end-tag-implies-table-voodoo")
        end_in_body(state, tag)


def _text_in_table(state: Construction, text: str, offset: int) -> None:
    current = state.open.current.name
    if current not in TABLE_CONTEXT and current != "template":
        state.characters_in("in_body", text, offset)
        return
    content = text.lstrip(SPACES + "\0")
    if content:
        state.errors.add(offset + len(text) - len(content), "foster-parenting-character")
        state.characters_in("in_body", text, offset)


def _start_in_caption(state: Construction, tag: Tag) -> None:
    if tag.name not in TABLE_PARTS and tag.name != "table":
        start_in_body(state, tag)
    elif _close_caption(state, tag):
        state.start_in("in_table", tag)


def _end_in_caption(state: Construction, tag: Tag) -> None:
    if tag.name == "caption":
        _close_caption(state, tag)
    elif tag.name == "table":
        if _close_caption(state, tag):
            state.end_in("in_table", tag)
    elif tag.name in TABLE_PARTS or tag.name in ("body", "html"):
        state.report(tag, "unexpected-end-tag")
    else:
        end_in_body(state, tag)


def _close_caption(state: Construction, tag: Tag) -> bool:
    if not _in_table(state, "caption"):
        state.report(tag, "unexpected-end-tag")
        return False
    state.open.imply_ends()
    if not state.open.is_current("caption"):
        state.report(tag, "expected-one-end-tag-but-got-another")
    state.open.pop_until(("caption",))
    state.formatting.clear()
    state.mode = "in_table"
    return True


def _close_column_group(state: Construction) -> bool:
    if not state.open.is_current("colgroup"):
        return False
    state.open.pop()
    state.mode = "in_table"
    return True


def _start_in_column_group(state: Construction, tag: Tag) -> None:
    if tag.name == "html":
        start_in_body(state, tag)
    elif tag.name == "template":
        start_in_head(state, tag)
    elif tag.name != "col":
        if _close_column_group(state):
            state.start_in("in_table", tag)
        else:
            state.report(tag, "unexpected-start-tag-in-column-group")


def _end_in_column_group(state: Construction, tag: Tag) -> None:
    if tag.name == "colgroup":
        if not _close_column_group(state):
            state.report(tag, "unexpected-end-tag")
    elif tag.name == "col":
        state.report(tag, "no-end-tag")
    elif tag.name == "template":
        end_in_head(state, tag)
    elif _close_column_group(state):
        state.end_in("in_table", tag)
    else:
        state.report(tag, "unexpected-end-tag")


def _text_in_column_group(state: Construction, text: str, offset: int) -> None:
    content = text.lstrip(SPACES)
    if not content:
        return
    offset += len(text) - len(content)
    if _close_column_group(state):
        state.characters_in("in_table", content, offset)
    else:
        state.errors.add(offset, "unexpected-char-in-column-group")


def _start_in_table_body(state: Construction, tag: Tag) -> None:
    name = tag.name
    if name in ("tr", "th", "td"):
        if name != "tr":
            state.report(tag, "unexpected-cell-in-table-body")
        state.open.pop_to(_BODY_CONTEXT)
        state.push("tr", tag if name == "tr" else None)
        state.mode = "in_row"
        if name != "tr":
            state.start_in("in_row", tag)
    elif name in TABLE_PARTS:
        if _close_body(state, tag):
            state.start_in("in_table", tag)
    else:
        _start_in_table(state, tag)


def _close_body(state: Construction, tag: Tag) -> bool:
    if not state.open.in_scope(_BODIES, TABLE_SCOPE):
        state.report(tag, "unexpected-end-tag")
        return False
    state.open.pop_to(_BODY_CONTEXT)
    state.open.pop()
    state.mode = "in_table"
    return True


def _end_in_table_body(state: Construction, tag: Tag) -> None:
    name = tag.name
    if name in _BODIES:
        if _in_table(state, name):
            _close_body(state, tag)
        else:
            state.report(tag, "unexpected-end-tag-in-table-body")
    elif name == "table":
        if _close_body(state, tag):
            state.end_in("in_table", tag)
    elif name in TABLE_PARTS or name in ("body", "html"):
        state.report(tag, "unexpected-end-tag-in-table-body")
    else:
        _end_in_table(state, tag)


def _start_in_row(state: Construction, tag: Tag) -> None:
    if tag.name in ("th", "td"):
        state.open.pop_to(_ROW_CONTEXT)
        state.push(tag.name, tag)
        state.mode = "in_cell"
        state.formatting.mark()
    elif tag.name in TABLE_PARTS:
        if _close_row(state, tag):
            state.start_in("in_table_body", tag)
    else:
        _start_in_table(state, tag)


def _close_row(state: Construction, tag: Tag) -> bool:
    if not _in_table(state, "tr"):
        state.report(tag, "unexpected-end-tag")
        return False
    state.open.pop_to(_ROW_CONTEXT)
    state.open.pop()
    state.mode = "in_table_body"
    return True


def _end_in_row(state: Construction, tag: Tag) -> None:
    name = tag.name
    if name == "tr":
        _close_row(state, tag)
    elif name == "table":
        if _close_row(state, tag):
            state.end_in("in_table_body", tag)
    elif name in _BODIES:
        if not _in_table(state, name):
            state.report(tag, "unexpected-end-tag-in-table-row")
        elif _close_row(state, tag):
            state.end_in("in_table_body", tag)
    elif name in TABLE_PARTS or name in ("body", "html"):
        state.report(tag, "unexpected-end-tag-in-table-row")
    else:
        _end_in_table(state, tag)


def _start_in_cell(state: Construction, tag: Tag) -> None:
    if tag.name not in TABLE_PARTS:
        start_in_body(state, tag)
    elif state.open.in_scope(("td", "th"), TABLE_SCOPE):
        _close_cell(state, tag)
        state.start_in("in_row", tag)
    else:
        state.report(tag, "unexpected-start-tag")


def _close_cell(state: Construction, tag: Tag) -> None:
    state.open.imply_ends()
    if not (state.open.is_current("td") or state.open.is_current("th")):
        state.report(tag, "unexpected-cell-end-tag")
    state.open.pop_until(("td", "th"))
    state.formatting.clear()
    state.mode = "in_row"


def _end_in_cell(state: Construction, tag: Tag) -> None:
    name = tag.name
    if name in ("td", "th"):
        if not _in_table(state, name):
            state.report(tag, "unexpected-end-tag")
            return
        state.open.imply_ends()
        if not state.open.is_current(name):
            state.report(tag, "unexpected-cell-end-tag")
        state.open.pop_until((name,))
        state.formatting.clear()
        state.mode = "in_row"
    elif name in ("body", "caption", "col", "colgroup", "html"):
        state.report(tag, "unexpected-end-tag")
    elif name in TABLE_CONTEXT:
        if _in_table(state, name):
            _close_cell(state, tag)
            state.end_in("in_row", tag)
        else:
            state.report(tag, "unexpected-end-tag")
    else:
        end_in_body(state, tag)


_MODES = {
    "in_table": (_start_in_table, _end_in_table, _text_in_table),
    "in_column_group": (_start_in_column_group, _end_in_column_group, _text_in_column_group),
    "in_table_body": (_start_in_table_body, _end_in_table_body, _text_in_table),
    "in_row": (_start_in_row, _end_in_row, _text_in_table),
}
for _mode, (_start, _end, _text) in _MODES.items():
    Construction.starts[_mode] = _start
    Construction.ends[_mode] = _end
    Construction.texts[_mode] = _text
    Construction.finishes[_mode] = finish_in_body
for _mode, _start, _end in (
    ("in_caption", _start_in_caption, _end_in_caption),
    ("in_cell", _start_in_cell, _end_in_cell),
):
    Construction.starts[_mode] = _start
    Construction.ends[_mode] = _end
    Construction.texts[_mode] = Construction.texts["in_body"]
    Construction.finishes[_mode] = finish_in_body
