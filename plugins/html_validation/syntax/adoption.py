"""The adoption agency: end tags of formatting elements that are not the innermost."""

from __future__ import annotations

from .construction import Construction
from .names import HTML, OpenElement
from .tags import Tag

_ROUNDS = 8
_CLONES = 3


def adopt(state: Construction, tag: Tag, reports: bool = True) -> None:
    """Close the formatting element that `tag` names, and open again what it held. `reports` at most one error."""
    entries, current = state.formatting.entries, state.open.current
    if current.space == HTML and current.name == tag.name and current not in entries:
        state.open.pop()
        return
    for number in range(_ROUNDS):
        element = state.formatting.find(tag.name)
        if element is None:
            if not number:
                end_other(state, tag, reports)
            return
        if not element.is_open or not state.open.element_in_scope(element):
            reports = _report(state, tag, reports)
            if not element.is_open:
                entries.remove(element)
            return
        if element is not state.open.current:
            reports = _report(state, tag, reports)
        furthest = _furthest_block(state.open.stack, element)
        if furthest is None:
            while state.open.pop() is not element:
                pass
            entries.remove(element)
            return
        _rebuild(state, element, furthest)


def _report(state: Construction, tag: Tag, reports: bool) -> bool:
    if reports:
        state.report(tag, "adoption-agency")
    return False


def _furthest_block(stack: list[OpenElement], element: OpenElement) -> OpenElement | None:
    return next((each for each in stack[stack.index(element) + 1 :] if each.special), None)


def _rebuild(state: Construction, element: OpenElement, furthest: OpenElement) -> None:
    entries, stack = state.formatting.entries, state.open.stack
    place = entries.index(element)
    index = stack.index(furthest)
    last, count = furthest, 0
    while (node := stack[(index := index - 1)]) is not element:
        count += 1
        listed = entries.index(node) if node in entries else -1
        if count > _CLONES and listed >= 0:
            del entries[listed]
            place -= listed < place
            listed = -1
        if listed < 0:
            state.open.remove(node)
            continue
        clone = OpenElement(node.name, HTML, node.attributes)
        clone.is_open, node.is_open = True, False
        entries[listed] = stack[index] = clone
        if last is furthest:
            place = listed + 1
        last = clone
    clone = OpenElement(element.name, HTML, element.attributes)
    before = entries.index(element)
    del entries[before]
    entries.insert(place - (before < place), clone)
    state.open.remove(element)
    state.open.insert_after(furthest, clone)


def end_other(state: Construction, tag: Tag, reports: bool = True) -> None:
    """Process an end tag that has no rule of its own in the body."""
    if not state.open.holds(tag.name):
        if reports:
            state.report(tag, "unexpected-end-tag")
        return
    for element in reversed(state.open.stack):
        if element.space == HTML and element.name == tag.name:
            state.open.imply_ends(tag.name)
            if state.open.current is not element and reports:
                state.report(tag, "end-tag-too-early")
            while state.open.pop() is not element:
                pass
            return
        if element.special:
            if reports:
                state.report(tag, "unexpected-end-tag")
            return
