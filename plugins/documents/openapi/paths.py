"""Which path template of a document a request path belongs to (OpenAPI 3.1 section 4.8.8.2: concrete ones first)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import re2

ItemT = TypeVar("ItemT")

_PARAMETER = re.compile(r"\{([^{}/]*)\}")


class Matched(NamedTuple, Generic[ItemT]):
    """What stands at a template, and the values of its parameters as written in the path."""

    item: ItemT
    values: dict[str, str]


class _Segment:
    """One segment of a template with parameters."""

    __slots__ = ("_names", "_pattern", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        names = _PARAMETER.findall(text)
        self._names = names
        self._pattern: Any = None
        if names and text != f"{{{names[0]}}}":
            fixed = [re2.escape(part) for part in _PARAMETER.split(text)[::2]]
            self._pattern = re2.compile("(.+?)".join(fixed))

    @property
    def is_fixed(self) -> bool:
        """True if there is no parameter."""
        return not self._names

    def match(self, segment: str, values: dict[str, str]) -> bool:
        """True if a segment of a path fits; adds the values of the parameters."""
        if not self._names:
            return segment == self.text
        if self._pattern is None:
            values[self._names[0]] = segment
            return bool(segment)
        found = self._pattern.fullmatch(segment)
        if found is None:
            return False
        values.update(zip(self._names, found.groups(), strict=True))
        return True


class PathIndex(Generic[ItemT]):
    """The templates of a document."""

    def __init__(self, items: Iterable[tuple[str, ItemT]]) -> None:
        self._fixed: dict[str, ItemT] = {}
        self._templates: dict[int, list[tuple[list[_Segment], ItemT]]] = {}
        for path, item in items:
            segments = [_Segment(text) for text in path.split("/")]
            if all(segment.is_fixed for segment in segments):
                self._fixed[path] = item
            else:
                self._templates.setdefault(len(segments), []).append((segments, item))
        for templates in self._templates.values():
            templates.sort(key=lambda each: [not segment.is_fixed for segment in each[0]])

    def find(self, path: str) -> Matched[ItemT] | None:
        """Return what stands at the template of a path."""
        item = self._fixed.get(path)
        if item is not None:
            return Matched(item, {})
        segments = path.split("/")
        for template, item in self._templates.get(len(segments), ()):
            values: dict[str, str] = {}
            if all(each.match(segment, values) for each, segment in zip(template, segments, strict=True)):
                return Matched(item, values)
        return None
