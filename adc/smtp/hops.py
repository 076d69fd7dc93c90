"""Received fields of a message, counted while it passes: a message with too many is in a loop. No I/O."""

from __future__ import annotations

from adc.smtp.content import BadContent

_NAME = b"received:"


class HopCounter:
    """Counts the Received fields of one message. `in_header` is False once its header is over."""

    __slots__ = ("_limit", "_line", "count", "in_header")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = b""
        self.count = 0
        self.in_header = True

    def feed(self, piece: bytes) -> None:
        """Search the next chunk of the message. Raises BadContent for a message in a loop (RFC 5321 section 6.3)."""
        *lines, rest = (self._line + piece).split(b"\r\n")
        for line in lines:
            if not line or line == b".":
                self.in_header = False
                self._line = b""
                return
            self._see(line)
        self._line = _beginning(rest)

    def _see(self, line: bytes) -> None:
        if line[: len(_NAME)].lower() == _NAME:
            self.count += 1
            if self.count > self._limit:
                raise BadContent(
                    "loop", f"More than {self._limit} Received fields, a mail loop", 554, "5.4.6"
                )


def _beginning(line: bytes) -> bytes:
    """Return what decides about an incomplete line: its name, and a CR that may be half of its end."""
    if len(line) <= len(_NAME) + 1:
        return line
    return line[: len(_NAME) + 1] + (b"\r" if line.endswith(b"\r") else b"")
