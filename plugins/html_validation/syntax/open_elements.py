"""The stack of open elements and the list of active formatting elements."""

from __future__ import annotations

from collections.abc import Container

from .names import HTML, IMPLIED_ENDS, SCOPE, TABLE_SCOPE, OpenElement


class OpenElements:
    """The stack; `counts` of the names on it make most questions cheap."""

    __slots__ = ("_foreign", "counts", "stack")

    def __init__(self) -> None:
        self.stack: list[OpenElement] = []
        self.counts: dict[str, int] = {}
        self._foreign: dict[str, int] = {}

    @property
    def current(self) -> OpenElement:
        """The innermost element."""
        return self.stack[-1]

    def push(self, element: OpenElement) -> None:
        """Open an element."""
        self.stack.append(element)
        element.is_open = True
        counts = self.counts if element.space == HTML else self._foreign
        counts[element.name] = counts.get(element.name, 0) + 1

    def pop(self) -> OpenElement:
        """Close the innermost element."""
        element = self.stack.pop()
        self._uncount(element)
        return element

    def _uncount(self, element: OpenElement) -> None:
        element.is_open = False
        counts = self.counts if element.space == HTML else self._foreign
        counts[element.name] -= 1

    def remove(self, element: OpenElement) -> None:
        """Take an element out of the stack."""
        self.stack.remove(element)
        self._uncount(element)

    def insert_after(self, above: OpenElement, element: OpenElement) -> None:
        """Put an element below `above`."""
        self.stack.insert(self.stack.index(above) + 1, element)
        element.is_open = True
        if element.space == HTML:
            self.counts[element.name] = self.counts.get(element.name, 0) + 1

    def holds(self, name: str) -> bool:
        """Return True if an HTML element of that name is open."""
        return bool(self.counts.get(name))

    def holds_foreign(self, name: str) -> bool:
        """Return True if an element of that name is open that is not HTML."""
        return bool(self._foreign.get(name))

    def in_scope(self, names: Container[str], limits: Container[str] = SCOPE) -> bool:
        """Return True if one of `names` is open within the elements that limit the scope."""
        for element in reversed(self.stack):
            if element.space == HTML:
                if element.name in names:
                    return True
                if element.name in limits:
                    return False
            elif limits is not TABLE_SCOPE and element.foreign_scope:
                return False
        return False

    def name_in_scope(self, name: str, limits: Container[str] = SCOPE) -> bool:
        """Return True if `name` is open within the elements that limit the scope."""
        return bool(self.counts.get(name)) and self.in_scope((name,), limits)

    def element_in_scope(self, wanted: OpenElement) -> bool:
        """Return True if that element is open in scope."""
        for element in reversed(self.stack):
            if element is wanted:
                return True
            if (element.space == HTML and element.name in SCOPE) or element.foreign_scope:
                return False
        return False

    def pop_until(self, names: Container[str]) -> None:
        """Close elements up to one of `names`, which is open."""
        while True:
            element = self.pop()
            if element.space == HTML and element.name in names:
                return

    def pop_to(self, names: Container[str]) -> None:
        """Close elements until the innermost is one of `names`."""
        while not (self.current.space == HTML and self.current.name in names):
            self.pop()

    def imply_ends(self, excepted: str = "", names: Container[str] = IMPLIED_ENDS) -> None:
        """Close the elements whose end tags may be left out."""
        while self.current.space == HTML and self.current.name in names and self.current.name != excepted:
            self.pop()

    def is_current(self, name: str) -> bool:
        """Return True if the innermost element is that HTML element."""
        return self.stack[-1].space == HTML and self.stack[-1].name == name


class Formatting:
    """The list of active formatting elements; None is a marker."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: list[OpenElement | None] = []

    def push(self, element: OpenElement) -> None:
        """Add an element, at most three alike since the last marker."""
        alike = 0
        for index in range(len(self.entries) - 1, -1, -1):
            entry = self.entries[index]
            if entry is None:
                break
            if entry.name == element.name and entry.attributes == element.attributes:
                alike += 1
                if alike == 3:
                    del self.entries[index]
                    break
        self.entries.append(element)

    def mark(self) -> None:
        """Add a marker."""
        self.entries.append(None)

    def clear(self) -> None:
        """Remove the elements since the last marker, and the marker."""
        while self.entries and self.entries.pop() is not None:
            pass

    def find(self, name: str) -> OpenElement | None:
        """Return the last element of that name since the last marker."""
        for entry in reversed(self.entries):
            if entry is None:
                return None
            if entry.name == name:
                return entry
        return None

    def discard(self, element: OpenElement) -> None:
        """Remove an element if it is listed."""
        if element in self.entries:
            self.entries.remove(element)
