"""Shows a process if an entry that it has read may have changed since, without reading it again.

A small file beside the tables is mapped by all processes that share them: for each group of keys, the number of the
last transaction that changed one of them. A writer notes its number before it commits, and only one writer runs at a
time, so:

* an entry read in a snapshot that is not older than the number is current as of that number, and

* while the number stays the same, no other write has begun to commit.

A writer that dies after noting its number costs the others a few reads, never a wrong value.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from zlib import crc32

GROUPS = 1 << 14
_SIZE = GROUPS * 8


def open_versions(file: Path) -> memoryview:
    """Return the numbers, by group. Raises OSError if there is no room for the file."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, _SIZE)  # a page without room behind it would end the process
        return memoryview(mmap.mmap(descriptor, _SIZE)).cast("Q")
    finally:
        os.close(descriptor)


def group_of(key: bytes) -> int:
    """Return the group of `key`, the same in all processes."""
    return crc32(key) % GROUPS
