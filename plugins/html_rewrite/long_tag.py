"""A tag that is too long to be read: its end is found, its attributes pass."""

from __future__ import annotations

import re

_NAME = re.compile(rb"[^\t\n\f\r />]*+")
_RUNS = {
    "between": re.compile(rb"[\t\n\f\r /]*+"),
    "name": re.compile(rb"[^\t\n\f\r />=]*+"),
    "after name": re.compile(rb"[\t\n\f\r ]*+"),
    "before value": re.compile(rb"[\t\n\f\r ]*+"),
    '"': re.compile(rb'[^"]*+'),
    "'": re.compile(rb"[^']*+"),
    "unquoted": re.compile(rb"[^\t\n\f\r >]*+"),
}


class LongTag:
    """The state within a tag. `prefix` is 1 for a start tag and 2 for an end tag; `over` once its end was found."""

    __slots__ = ("_solidus", "_state", "end_of_name", "name", "over", "prefix", "self_closing")

    def __init__(self, buffer: bytes, position: int, prefix: int) -> None:
        found = _NAME.match(buffer, position + prefix)
        assert found is not None
        self.name = found[0][:64].lower()
        self.end_of_name = found.end()
        self.prefix = prefix
        self.over = False
        self.self_closing = False
        self._state = "between"
        self._solidus = False

    def skip(self, buffer: bytes, position: int) -> int:
        """Return the end of the tag, or of the buffer."""
        size = len(buffer)
        while position < size and not self.over:
            run = _RUNS[self._state].match(buffer, position)
            assert run is not None
            if self._state == "between" and run.end() > position:
                self._solidus = buffer[run.end() - 1] == 0x2F
            position = run.end()
            if position < size:
                position = self._next(buffer[position : position + 1], position)
        return position

    def _next(self, character: bytes, position: int) -> int:
        """Choose the state that `character` leads to; return the position behind it, or before it."""
        state = self._state
        if state in ('"', "'"):
            self._state, self._solidus = "between", False
            return position + 1
        if character == b">" and state != "name":
            self.over = True
            self.self_closing = state == "between" and self._solidus
            return position + 1
        if state == "between":
            self._state = "name"
            return position + 1  # an equals sign may begin a name
        if state == "name":
            self._state = "after name"
            return position
        if state == "after name":
            self._state, self._solidus = ("before value" if character == b"=" else "between"), False
            return position + (character == b"=")
        if state == "before value":
            quoted = character in b"\"'"
            self._state = character.decode() if quoted else "unquoted"
            return position + quoted
        self._state, self._solidus = "between", False
        return position
