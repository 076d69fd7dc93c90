"""Chunked content (RFC 9112 section 7.1), decoded strictly and with a bound on everything but its data."""

from __future__ import annotations

import re
from typing import Final

from adc.codecs.refused import Refused
from adc.http.headers import Pair
from adc.http.trailers import may_trail

CHUNKS_PER_STEP: Final = 512
"""Chunks decoded in one call: a few hundred microseconds, so that one client cannot keep the loop to itself."""
_LINE_BYTES: Final = 4096
_OVERHEAD_BYTES: Final = 16 << 10
_FREE_PER_CHUNK: Final = 16
"""Overhead is free up to this for each chunk and twice its data, as in Go's net/http: one byte a chunk passes, an
endless chunk extension does not."""

_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
_FIELD_LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)")
_LENIENT_SIZE_LINE: Final = re.compile(rb"0*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\0\r]*)?")
_LENIENT_FIELD_LINE: Final = re.compile(rb"[^\0\r]*")
"""Grammar of members: blanks without an extension, zeros in front, any trailer line; malformed trailers are dropped."""

_SIZE: Final = 0
_DATA: Final = 1
_DATA_END: Final = 2
_TRAILER: Final = 3
_ENDED: Final = 4


class ChunkedContent:
    """The content of one message, as it comes out of `read`, and its `trailers`. Chunk extensions are dropped.

    Lines end in CRLF and in nothing else. The trailers of a request are refused if one of them is malformed or may not
    be passed on; `lenient`: extensions and trailers may look as members write them, and malformed trailers are dropped.
    Trailers count against the limits of a header block.
    """

    __slots__ = (
        "_data",
        "_fields",
        "_folds_into",
        "_left",
        "_lenient",
        "_line",
        "_most_fields",
        "_overhead",
        "_size_line",
        "_state",
        "_trailer_bytes",
        "_trailer_left",
        "trailers",
    )

    def __init__(self, header_bytes: int, header_count: int, lenient: bool = False) -> None:
        self._size_line: re.Pattern[bytes] = _LENIENT_SIZE_LINE if lenient else _SIZE_LINE
        self._lenient = lenient
        self.trailers: list[Pair] = []
        self._state = _SIZE
        self._left = 0
        self._line = b""
        self._data: list[bytes] = []
        self._overhead = 0
        self._trailer_bytes = header_bytes
        self._trailer_left = header_bytes
        self._fields = 0
        self._folds_into = False
        self._most_fields = header_count

    @property
    def ended(self) -> bool:
        """True if the content is complete, its trailer section included."""
        return self._state == _ENDED

    def resume(self, left: int) -> None:
        """Begin within a chunk of which `left` bytes are to come; 0: the end of its line is."""
        self._left = left
        self._state = _DATA if left else _DATA_END

    def take(self) -> bytes:
        """Return the data decoded since the last call."""
        data = self._data
        if not data:
            return b""
        self._data = []
        return data[0] if len(data) == 1 else b"".join(data)

    def read(self, source: bytes, start: int) -> int:
        """Decode `source` from `start` on; return where that stopped: at the end of `source` or of the content, or
        after `CHUNKS_PER_STEP` chunks. Raises `Refused`.
        """
        end = len(source)
        chunks = CHUNKS_PER_STEP
        while start < end and chunks and self._state != _ENDED:
            if self._state == _DATA:
                part = source[start : start + self._left]
                self._data.append(part)
                self._left -= len(part)
                start += len(part)
                if not self._left:
                    self._state = _DATA_END
                    chunks -= 1
            else:
                start = self._read_line(source, start)
        return start

    def _read_line(self, source: bytes, start: int) -> int:
        found = source.find(b"\n", start)
        if found < 0:
            self._line += source[start:]
            self._check_part(len(self._line))
            return len(source)
        line = source[start:found]
        if self._line:
            line = self._line + line
            self._line = b""
        if line[-1:] != b"\r":
            raise _malformed("a line of chunked content does not end in CRLF")
        self._check_part(len(line))
        self._take_line(line[:-1])
        return found + 1

    def _check_part(self, size: int) -> None:
        """Raise `Refused` if a line of `size` bytes is too long for where it stands."""
        if self._state == _SIZE and size > _LINE_BYTES:
            raise _malformed(f"a chunk extension is over {_LINE_BYTES} bytes")
        if self._state == _DATA_END and size > 1:
            raise _malformed("a chunk is longer than its size says")
        if self._state == _TRAILER and size > self._trailer_left:
            raise Refused(431, "limit_head", f"the trailer section is over {self._trailer_bytes} bytes")

    def _take_line(self, line: bytes) -> None:
        if self._state == _SIZE:
            self._begin_chunk(line)
        elif self._state == _DATA_END:
            self._state = _SIZE
        elif line:
            self._take_field(line)
        else:
            self._state = _ENDED

    def _begin_chunk(self, line: bytes) -> None:
        matched = self._size_line.fullmatch(line)
        if matched is None:
            raise _malformed("a chunk size is malformed")
        size = int(matched[1], 16)
        self._left = size
        self._state = _DATA if size else _TRAILER
        overhead = self._overhead + len(line) + 4 - _FREE_PER_CHUNK - 2 * size
        self._overhead = max(overhead, 0)
        if overhead > _OVERHEAD_BYTES:
            raise _malformed("chunk extensions outweigh the content")

    def _take_field(self, line: bytes) -> None:
        matched = _FIELD_LINE.fullmatch(line)
        if matched is None:
            self._take_malformed(line)
        else:
            name: bytes = matched[1]
            if not self._lenient and not may_trail(name):
                raise _malformed(f"the trailer field {name.decode()} is forbidden")
            self._folds_into = True
            self.trailers.append((name, matched[2].strip(b" \t")))
        self._trailer_left -= len(line) + 2
        self._fields += 1
        if self._fields > self._most_fields:
            raise Refused(431, "limit_head", f"the trailer section has over {self._most_fields} fields")

    def _take_malformed(self, line: bytes) -> None:
        """Drop a malformed trailer of a member, with the field that it continues if it is a folded line."""
        if not self._lenient or _LENIENT_FIELD_LINE.fullmatch(line) is None:
            raise _malformed("a trailer field is malformed")
        if self._folds_into and line[:1] in (b" ", b"\t"):
            self.trailers.pop()
        self._folds_into = False


def _malformed(detail: str) -> Refused:
    return Refused(400, "bad_request", detail)
