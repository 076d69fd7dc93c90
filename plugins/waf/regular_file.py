"""Reading of files that a configuration names."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a rule file or of a file of words."""


def read_regular(path: Path) -> bytes:
    """Return the content of a file. Raises OSError for devices and pipes, which have no end, and for huge files."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if status.st_size > LARGEST:
            raise OSError(errno.EFBIG, f"larger than {LARGEST // (1024 * 1024)} MB", str(path))
        return file.read(LARGEST)


def read_regular_text(path: Path) -> str:
    """Return the text of a file with `\n` as line end; bytes that are not UTF-8 become lone surrogates."""
    text = read_regular(path).decode("utf-8", "surrogateescape")
    return text.replace("\r\n", "\n").replace("\r", "\n")
