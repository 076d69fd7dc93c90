"""A log file whose lines are collected in memory and written in batches."""

from __future__ import annotations

from typing import Final

from adc.telemetry.log_file import LogFile

DEFAULT_LIMIT: Final = 4 << 20


class LineLog:
    """Appends lines to `path` (`-`: standard output) whenever `flush` is called.

    `limit` bounds the buffer, in bytes; a line that arrives above it is dropped. `written` and `dropped` count
    lines. Several processes may append to one file. Raises OSError if the file cannot be opened.
    """

    def __init__(self, path: str, limit: int = DEFAULT_LIMIT) -> None:
        self.dropped = 0
        self.written = 0
        self._limit = limit
        self._lines: list[bytes] = []
        self._size = 0
        self._unsent = b""
        self._unsent_lines = 0
        self._file = LogFile(path)

    def append(self, line: str) -> None:
        """Keep one line, given without its end, for the next flush."""
        if self._size >= self._limit:
            self.dropped += 1
            return
        data = line.encode("utf-8", "backslashreplace")
        self._lines.append(data)
        self._size += len(data)

    def flush(self) -> None:
        """Write the buffered lines, without waiting for a slow reader; called from a tick."""
        kept = self._lines
        if not kept and not self._unsent:
            return
        lines = self._unsent_lines + len(kept)
        if kept:
            self._lines = []
            kept.append(b"")
        self._unsent, lost = self._file.write(self._unsent + b"\n".join(kept))
        self._unsent_lines = self._unsent.count(b"\n")
        self._size = len(self._unsent)
        self.dropped += lost
        self.written += lines - lost - self._unsent_lines

    def reopen(self) -> None:
        """Continue in a new file after a rotation; buffered lines go to the old one.

        Raises OSError if the new file cannot be opened; the old one then stays in use.
        """
        self.flush()
        self._file.reopen()

    def close(self) -> None:
        """Write the buffered lines and close the file."""
        self.flush()
        self._file.close()
