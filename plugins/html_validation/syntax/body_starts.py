"""Start tags in the body."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .adoption import adopt
from .construction import Construction
from .head_modes import start_in_head
from .names import (
    BUTTON_SCOPE,
    CLOSE_P,
    HEADINGS,
    HTML,
    IN_HEAD,
    MATHML,
    SVG,
    TABLE_PARTS,
    words,
)
from .tags import Tag

_Start = Callable[[Construction, Tag], None]
_STARTS: dict[str, _Start] = {}


def start_in_body(state: Construction, tag: Tag) -> None:
    """Process a start tag in the body."""
    _STARTS.get(tag.name, _ordinary)(state, tag)


def _for(names: Iterable[str]) -> Callable[[_Start], _Start]:
    def register(start: _Start) -> _Start:
        for name in names:
            _STARTS[name] = start
        return start

    return register


def _ordinary(state: Construction, tag: Tag) -> None:
    state.reconstruct()
    state.push(tag.name, tag)


def _close_p_if_open(state: Construction, tag: Tag) -> None:
    if state.open.name_in_scope("p", BUTTON_SCOPE):
        state.close_p(tag)


@_for(("html",))
def _html(state: Construction, tag: Tag) -> None:
    state.report(tag, "unexpected-start-tag")


_for(IN_HEAD)(start_in_head)


@_for(("body",))
def _body(state: Construction, tag: Tag) -> None:
    state.report(tag, "unexpected-start-tag")
    state.frameset_allowed = False


@_for(("frameset",))
def _frameset(state: Construction, tag: Tag) -> None:
    state.report(tag, "unexpected-start-tag")
    stack = state.open.stack
    if len(stack) > 1 and stack[1].name == "body" and state.frameset_allowed:
        while len(stack) > 1:
            state.open.pop()
        state.push("frameset", tag)
        state.mode = "in_frameset"


@_for(CLOSE_P)
def _block(state: Construction, tag: Tag) -> None:
    _close_p_if_open(state, tag)
    state.push(tag.name, tag)


@_for(HEADINGS)
def _heading(state: Construction, tag: Tag) -> None:
    _close_p_if_open(state, tag)
    if state.open.current.space == HTML and state.open.current.name in HEADINGS:
        state.report(tag, "unexpected-start-tag")
        state.open.pop()
    state.push(tag.name, tag)


@_for(("pre", "listing"))
def _preformatted(state: Construction, tag: Tag) -> None:
    _block(state, tag)
    state.frameset_allowed = False


@_for(("form",))
def _form(state: Construction, tag: Tag) -> None:
    in_template = state.open.holds("template")
    if state.in_form and not in_template:
        state.report(tag, "unexpected-start-tag")
        return
    _block(state, tag)
    if not in_template:
        state.in_form = True


@_for(("li", "dd", "dt"))
def _item(state: Construction, tag: Tag) -> None:
    state.frameset_allowed = False
    alike = ("li",) if tag.name == "li" else ("dd", "dt")
    for element in reversed(state.open.stack):
        if element.space == HTML and element.name in alike:
            state.open.imply_ends(element.name)
            if not state.open.is_current(element.name):
                state.report(tag, "unexpected-start-tag-implies-end-tag")
            state.open.pop_until((element.name,))
            break
        if element.special and not (element.space == HTML and element.name in ("address", "div", "p")):
            break
    _block(state, tag)


@_for(("plaintext",))
def _plaintext(state: Construction, tag: Tag) -> None:
    _block(state, tag)
    state.text_element = "plaintext"


@_for(("button",))
def _button(state: Construction, tag: Tag) -> None:
    if state.open.name_in_scope("button"):
        state.report(tag, "unexpected-start-tag-implies-end-tag")
        state.open.imply_ends()
        state.open.pop_until(("button",))
    _ordinary(state, tag)
    state.frameset_allowed = False


@_for(("a",))
def _anchor(state: Construction, tag: Tag) -> None:
    before = state.formatting.find("a")
    if before is not None:
        state.report(tag, "unexpected-start-tag-implies-end-tag")
        adopt(state, Tag("a", tag.start), reports=False)
        state.formatting.discard(before)
        if before.is_open:
            state.open.remove(before)
    _formatting(state, tag)


@_for(words("b big code em font i s small strike strong tt u"))
def _formatting(state: Construction, tag: Tag) -> None:
    state.reconstruct()
    state.formatting.push(state.push(tag.name, tag))


@_for(("nobr",))
def _nobr(state: Construction, tag: Tag) -> None:
    state.reconstruct()
    if state.open.name_in_scope("nobr"):
        state.report(tag, "unexpected-start-tag-implies-end-tag")
        adopt(state, Tag("nobr", tag.start), reports=False)
        state.reconstruct()
    state.formatting.push(state.push(tag.name, tag))


@_for(("applet", "marquee", "object"))
def _object(state: Construction, tag: Tag) -> None:
    _ordinary(state, tag)
    state.formatting.mark()
    state.frameset_allowed = False


@_for(("table",))
def _table(state: Construction, tag: Tag) -> None:
    if not state.quirky:
        _close_p_if_open(state, tag)
    state.push("table", tag)
    state.frameset_allowed = False
    state.mode = "in_table"


@_for(words("area br embed img keygen wbr"))
def _void(state: Construction, tag: Tag) -> None:
    state.reconstruct()
    state.frameset_allowed = False


@_for(("input",))
def _input(state: Construction, tag: Tag) -> None:
    if state.open.name_in_scope("select"):
        state.report(tag, "unexpected-start-tag")
        state.open.pop_until(("select",))
    state.reconstruct()
    if tag.attributes.get("type", "").lower() != "hidden":
        state.frameset_allowed = False


@_for(("param", "source", "track"))
def _silent(state: Construction, tag: Tag) -> None:
    """Do nothing: the element is void."""


@_for(("hr",))
def _rule(state: Construction, tag: Tag) -> None:
    _close_p_if_open(state, tag)
    if state.open.name_in_scope("select"):
        state.open.imply_ends()
        if state.open.in_scope(("option", "optgroup")):
            state.report(tag, "unexpected-start-tag")
    state.frameset_allowed = False


@_for(("image",))
def _image(state: Construction, tag: Tag) -> None:
    state.report(tag, "unexpected-start-tag-treated-as")
    tag.name = "img"
    state.start_in(state.mode, tag)


@_for(("textarea",))
def _textarea(state: Construction, tag: Tag) -> None:
    state.push_text(tag)
    state.frameset_allowed = False


@_for(("xmp",))
def _xmp(state: Construction, tag: Tag) -> None:
    _close_p_if_open(state, tag)
    state.reconstruct()
    state.frameset_allowed = False
    state.push_text(tag)


@_for(("iframe", "noembed"))
def _raw(state: Construction, tag: Tag) -> None:
    state.frameset_allowed = False
    state.push_text(tag)


@_for(("noscript",))
def _noscript(state: Construction, tag: Tag) -> None:
    if state.scripting:
        state.push_text(tag)
    else:
        _ordinary(state, tag)


@_for(("select",))
def _select(state: Construction, tag: Tag) -> None:
    if state.open.name_in_scope("select"):
        state.report(tag, "unexpected-select-in-select")
        state.open.pop_until(("select",))
        return
    _ordinary(state, tag)
    state.frameset_allowed = False


@_for(("option",))
def _option(state: Construction, tag: Tag) -> None:
    if state.open.name_in_scope("select"):
        state.open.imply_ends("optgroup")
        if state.open.name_in_scope("option"):
            state.report(tag, "unexpected-start-tag-implies-end-tag")
    elif state.open.is_current("option"):
        state.open.pop()
    _ordinary(state, tag)


@_for(("optgroup",))
def _optgroup(state: Construction, tag: Tag) -> None:
    if state.open.name_in_scope("select"):
        state.open.imply_ends()
        if state.open.in_scope(("option", "optgroup")):
            state.report(tag, "unexpected-start-tag-implies-end-tag")
    elif state.open.is_current("option"):
        state.open.pop()
    _ordinary(state, tag)


@_for(("rb", "rtc", "rp", "rt"))
def _ruby(state: Construction, tag: Tag) -> None:
    if state.open.name_in_scope("ruby"):
        kept = "rtc" if tag.name in ("rp", "rt") else ""
        state.open.imply_ends(kept)
        if not (state.open.is_current("ruby") or (kept and state.open.is_current(kept))):
            state.report(tag, "unexpected-start-tag")
    state.push(tag.name, tag)


@_for(("math", "svg"))
def _foreign(state: Construction, tag: Tag) -> None:
    state.reconstruct()
    state.push_foreign(tag, SVG if tag.name == "svg" else MATHML)


@_for((*TABLE_PARTS, "frame", "head"))
def _misplaced(state: Construction, tag: Tag) -> None:
    state.report(tag, "unexpected-start-tag-ignored")
