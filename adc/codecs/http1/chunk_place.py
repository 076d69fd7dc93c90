"""Where in chunked content a read begins that the parser will reject. No I/O."""

from __future__ import annotations

from adc.codecs.http1.chunked import ChunkedContent


class ChunkPlace:
    """Follows the parser through chunked content, so that another decoder can go on where a read began.

    For that it is known whether the read began within a chunk (`_began_inside`), of how many parts of this read the
    first chunk consists (`_parts_of_first`, -1 while it has no end) and what has come of a size line.
    """

    __slots__ = ("_began_inside", "_inside", "_parts_of_first", "_size_line")

    def __init__(self) -> None:
        self._inside = False
        self._began_inside = False
        self._parts_of_first = -1
        self._size_line = b""

    def begin(self) -> None:
        """Begin new content."""
        self._inside = self._began_inside = False
        self._parts_of_first = -1
        self._size_line = b""

    def chunk_begun(self) -> None:
        """Note that the parser has read a size line."""
        self._inside = True

    def chunk_complete(self, parts: int) -> None:
        """Note that the parser has read a chunk; this read has had `parts` parts of content."""
        self._inside = False
        if self._parts_of_first < 0:
            self._parts_of_first = parts

    def next_read(self, data: bytes) -> None:
        """Remember where in the chunks the next read begins, after `data` has been parsed."""
        self._began_inside = self._inside
        self._parts_of_first = -1
        if not self._inside:
            self._size_line = data.rpartition(b"\n")[2] if b"\n" in data else self._size_line + data

    def resume(self, chunks: ChunkedContent, data: bytes, parts: list[bytes]) -> bytes:
        """Put `chunks` where the read `data` began, of which the parser made `parts`; return what it is to decode."""
        if not self._began_inside:
            return self._size_line + data
        count = self._parts_of_first if self._parts_of_first >= 0 else len(parts)
        left = len(parts[0]) if count else 0
        chunks.resume(left)
        return b"\r" + data if not left and data.startswith(b"\n") else data
