"""The one exception of everything that refuses a document."""

from __future__ import annotations


class XmlRefused(Exception):
    """The document is refused. `line` and `column` count from 1; 0 if no place in the text is meant."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column
