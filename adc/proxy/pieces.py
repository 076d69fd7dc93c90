"""Content that is made here or lies in a file, cut into the pieces in which it is sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from adc.http.ranges import ByteRange

AT_ONCE = 256 << 10
"""Bytes of content handed to the client's connection in one piece."""


Piece = bytes | ByteRange
"""Content to send: text made here, or part of the stored content."""


class Pieces:
    """The rest of `pieces` to send, in order."""

    __slots__ = ("_left",)

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._left = deque(pieces)

    @property
    def next(self) -> Piece:
        """Return the next piece: a text in whole, or a range that may be sent in parts."""
        return self._left[0]

    def sent(self, count: int) -> bool:
        """Drop `count` bytes of `next`, which are sent; return True if that was all."""
        piece = self._left.popleft()
        if isinstance(piece, ByteRange) and count < piece.length:
            self._left.appendleft(ByteRange(piece.first + count, piece.last))
        return not self._left
