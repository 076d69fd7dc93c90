"""The one exception of everything that refuses a document, and JSON Pointers."""

from __future__ import annotations

from collections.abc import Sequence

Path = Sequence[str | int]


class JsonRefused(Exception):
    """The document is refused. `line` and `column` count from 1; 0 if no place is known."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column


def pointer(path: Path) -> str:
    """Return the JSON Pointer (RFC 6901) of a path."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)
