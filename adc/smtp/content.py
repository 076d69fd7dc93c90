"""The content of a message on the wire (RFC 5321 section 4.1.1.4): where it ends, and what may not be in it. No I/O.

Content is passed on as received, dots doubled, so that its end is the only sequence that has to be found. Only
`<CR><LF>.<CR><LF>` is one. Every other use of CR or LF is refused, because servers that read it as the end of a line
would see commands in what is content for others (SMTP smuggling).
"""

from __future__ import annotations

from typing import Final

END: Final = b"\r\n.\r\n"


class BadContent(ValueError):
    """Content that is never passed on. `status` and `code` are those of the reply (RFC 3463); with `hangs_up` the
    rest of the connection cannot be trusted."""

    def __init__(self, reason: str, text: str, status: int, code: str, *, hangs_up: bool = False) -> None:
        super().__init__(text)
        self.reason = reason
        self.status = status
        self.code = code
        self.hangs_up = hangs_up


class ContentScanner:
    """Finds the end of one message. `ended` is set when it was found; `rest` is then what followed it.

    `size` counts bytes before the end, dots doubled; a size above `size_limit` is refused. `line_limit` is in bytes
    without the line's end. A refused message is read to its end, but not passed on.
    """

    __slots__ = (
        "_in_line",
        "_line_limit",
        "_size_limit",
        "_tail",
        "_virtual",
        "ended",
        "refused",
        "rest",
        "size",
    )

    def __init__(self, size_limit: int, line_limit: int) -> None:
        self._size_limit = size_limit
        self._line_limit = line_limit
        self._tail = b"\r\n"  # content begins at the beginning of a line
        self._virtual = 2
        self._in_line = 0
        self.ended = False
        self.refused = False
        self.rest = b""
        self.size = 0

    def feed(self, data: bytes) -> bytes:
        """Return the content that is ready to be passed on, whole line ends only. Raises BadContent."""
        data = self._tail + data
        found = data.find(END)
        if found >= 0:
            end = found + 2
            self.ended = True
            self.rest = data[found + len(END) :]
            self._tail = b""
        else:
            end = len(data) - _begun(data)
            self._tail = data[end:]
        piece = data[:end]
        lines = piece.count(b"\r\n")
        if piece.count(b"\n") != lines or piece.count(b"\r") != lines:
            raise BadContent("bare_newline", "Bare CR or LF in the message", 521, "5.5.2", hangs_up=True)
        if self._virtual:
            piece = self._without_virtual(piece)
        self.size += len(piece)
        return self._discarded() if self.refused else self._checked(piece)

    def _without_virtual(self, piece: bytes) -> bytes:
        skipped = min(self._virtual, len(piece))
        self._virtual -= skipped
        return piece[skipped:]

    def _discarded(self) -> bytes:
        if self.size > 2 * self._size_limit:
            raise BadContent("size", f"Message over {self._size_limit} bytes", 552, "5.3.4", hangs_up=True)
        return b""

    def _checked(self, piece: bytes) -> bytes:
        self.refused = True
        if self.size > self._size_limit:
            raise BadContent("size", f"Message over {self._size_limit} bytes", 552, "5.3.4")
        if b"\0" in piece:
            raise BadContent("nul", "NUL in the message", 554, "5.6.0")
        if self._overlong(piece):
            raise BadContent("line_length", f"Line over {self._line_limit} bytes", 554, "5.6.0")
        self.refused = False
        return piece

    def _overlong(self, piece: bytes) -> bool:
        """True if a line is too long; jumps over many short lines at a time."""
        limit = self._line_limit
        start = -self._in_line
        while True:
            end = piece.rfind(b"\r\n", max(start, 0), start + limit + 2)
            if end < 0:
                break
            start = end + 2
        self._in_line = len(piece) - start
        return self._in_line > limit


def _begun(data: bytes) -> int:
    """Return the number of bytes at the end of `data` with which the end of the content may begin."""
    for length in range(len(END) - 1, 0, -1):
        if data.endswith(END[:length]):
            return length
    return 0
