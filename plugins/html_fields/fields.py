"""The fields of a request: what is read of them, and what is wrong with a body that is not read."""

from __future__ import annotations

from collections.abc import Callable

from webencodings import lookup


class Unreadable(Exception):
    """A body is malformed, or its encoding unknown: for the application its fields could be others."""


class TooMuch(Exception):
    """The fields have more HTML than is checked."""


Sanitise = Callable[[str, str], str | None]
"""Name and value of a field to its new value; None if it stays."""


class Selection:
    """The fields that are checked: all, or those of some names. `a[b]` and `a[]` are fields `a` too."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = frozenset(names)

    def covers(self, name: str) -> bool:
        """Return True if the field is checked."""
        return not self._names or name in self._names or name.partition("[")[0] in self._names


def decoded(value: bytes, charset: str, name: str) -> str:
    """Return the text of a field. Raises Unreadable."""
    try:
        return value.decode(charset)
    except UnicodeDecodeError:
        raise Unreadable(f"the field {name!r:.60} is not in {charset}") from None


def known_charset(label: str) -> str:
    """Return the codec of a charset that agrees with ASCII. Raises Unreadable."""
    found = lookup(label)
    if found is None or found.name.startswith(("utf-16", "iso-2022", "hz-")):
        raise Unreadable(f"the charset {label!r:.50} is not known, or unlike ASCII")
    return str(found.codec_info.name)
