"""A file that several processes append whole lines to, or standard output or error."""

from __future__ import annotations

import os
import select
import stat

_STANDARD = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}
"""Paths of descriptors that are open: a socket, as under systemd, cannot be opened by its path in /dev."""

_FILE_CHUNK = 1 << 20
_PIPE_CHUNK = select.PIPE_BUF


class LogFile:
    """Appends complete lines without ever waiting for the reader.

    `path` is a file, a named pipe, `-` for standard output or `/dev/stderr`. A write to a file is one system
    call on an O_APPEND descriptor, which the kernel keeps in one piece; a pipe or a socket gets pieces of
    whole lines that it takes at once (only a line above PIPE_BUF bytes may mix with another process's). The file is
    closed with the last reference: what began before a reload may still write to the log that it replaced.

    Raises OSError from the constructor and from `reopen` if the file cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._mid_line = False
        self._torn = False
        self._fd = -1
        self._open()

    def write(self, data: bytes) -> tuple[bytes, int]:
        """Append `data`: lines that each end in a newline, after the remainder that the last call returned.

        Return the remainder to write later because the reader is slow, and the number of lines lost because the write
        failed (a full disk, a closed reader). Never raises OSError.
        """
        if self._torn:
            data = b"\n" + data
            self._torn = False
        while data:
            if not self._is_regular and not self._takes_a_piece():
                return data, 0
            try:
                sent = os.write(self._fd, data[: self._piece_length(data)])
            except BlockingIOError:
                return data, 0
            except OSError:
                self._torn = self._mid_line
                return b"", data.count(b"\n") - data.startswith(b"\n")
            self._mid_line = data[sent - 1] != 0x0A
            data = data[sent:]
        return b"", 0

    def reopen(self) -> None:
        """Reopen `path` after a rotation. If that fails the old file stays in use."""
        if self.path not in _STANDARD:
            self._open()

    def close(self) -> None:
        """Close the file; standard output and error stay open."""
        if self._fd != -1 and self.path not in _STANDARD:
            os.close(self._fd)
        self._fd = -1

    def __del__(self) -> None:
        self.close()

    def _open(self) -> None:
        fd = _STANDARD.get(self.path, -1)
        if fd == -1:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
            fd = os.open(self.path, flags, 0o640)
        self.close()
        self._fd = fd
        self._is_regular = stat.S_ISREG(os.fstat(fd).st_mode)
        self._mid_line = self._torn = False

    def _piece_length(self, data: bytes) -> int:
        chunk = _FILE_CHUNK if self._is_regular else _PIPE_CHUNK
        if len(data) <= chunk:
            return len(data)
        return data.rfind(b"\n", 0, chunk) + 1 or data.find(b"\n") + 1

    def _takes_a_piece(self) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(0))
