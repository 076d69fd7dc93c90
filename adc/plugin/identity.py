"""Request fields that tell a member who the client is: nobody but the plugin may write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from adc.http.fields import FRAMING, HOP_BY_HOP, as_variable
from adc.http.headers import Headers, Pair

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FORBIDDEN = HOP_BY_HOP | FRAMING | {b"host"}


class IdentityFields:
    """Fields named in the configuration. `clear` removes those that a client sent, in each spelling that an application
    could read as the same variable (`X_User` for `X-User`).

    Raises ValueError for a name that is none, or that belongs to the connection.
    """

    __slots__ = ("_lengths", "_variables", "names")

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        for name in self.names:
            if not _NAME.fullmatch(name) or name.lower().encode() in _FORBIDDEN:
                raise ValueError(f"{name!r} is not the name of a field that a plugin may give to members")
        self._variables = frozenset(as_variable(name.encode()) for name in self.names)
        self._lengths = frozenset(len(name) for name in self.names)

    def covers(self, name: bytes) -> bool:
        """True if an application could read a field called `name` as one of these."""
        return len(name) in self._lengths and as_variable(name) in self._variables

    def clear(self, headers: Headers) -> None:
        """Remove the fields."""
        lengths = self._lengths
        found = [
            name for name, _ in headers.pairs if len(name) in lengths and as_variable(name) in self._variables
        ]
        if found:
            headers.remove(*(name.lower() for name in found))

    def write(self, headers: Headers, values: Sequence[Pair]) -> None:
        """Replace the fields by `values`."""
        self.clear(headers)
        for name, value in values:
            headers.add(name, value)


def field_value(text: str) -> bytes | None:
    """Return `text` as the value of a field (UTF-8), None if it has control characters, which no field may have, or is
    no Unicode."""
    stripped = text.strip(" ")
    if _CONTROLS.search(stripped):
        return None
    try:
        return stripped.encode()
    except UnicodeEncodeError:
        return None
