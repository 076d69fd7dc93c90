"""Opens names beneath a folder, so that no symbolic link leads out of it, whatever changes meanwhile.

Links that stay beneath the folder are followed; absolute ones are not. The kernel does it in one call (`openat2`,
Linux 5.6); otherwise each segment is opened by itself and links are followed here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final

_OPENAT2: Final = 437
"""Number of the call, the same on every architecture of Linux."""

_NO_MAGIC_LINKS: Final = 0x02
_BENEATH: Final = 0x08
_MOST_LINKS: Final = 40
_MOST_TRIES: Final = 20
_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ITSELF: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC

Open = Callable[[int, bytes, int], int]
"""Opens a name beneath the folder of a descriptor, with flags; returns a descriptor. Raises OSError."""


def open_beneath(root: int, name: bytes, flags: int) -> int:
    """Open `name`, b"" for the folder itself, beneath the folder `root`. Raises OSError: EXDEV for a link out of it."""
    return _opener()(root, name or b".", flags | os.O_CLOEXEC)


@lru_cache(maxsize=1)
def _opener() -> Open:
    """Return the kernel's way if it has one and allows it (a container may not), else the other."""
    folder = os.open("/", _FOLDER)
    try:
        os.close(by_kernel(folder, b".", os.O_PATH | os.O_CLOEXEC))
    except OSError:
        return by_walking
    finally:
        os.close(folder)
    return by_kernel


@lru_cache(maxsize=1)
def _syscall() -> Callable[..., int]:
    call: Callable[..., int] = ctypes.CDLL(None, use_errno=True).syscall
    return call


@lru_cache(maxsize=16)
def _how(flags: int) -> bytes:
    """Return a `struct open_how`."""
    return struct.pack("QQQ", flags, 0, _BENEATH | _NO_MAGIC_LINKS)


def by_kernel(root: int, name: bytes, flags: int) -> int:
    """Open by `openat2`, which fails with EAGAIN if a folder is renamed at the same time."""
    how = _how(flags)
    for _ in range(_MOST_TRIES):
        descriptor = _syscall()(_OPENAT2, root, name, how, len(how))
        if descriptor >= 0:
            return descriptor
        number = ctypes.get_errno()
        if number not in (errno.EAGAIN, errno.EINTR):
            raise OSError(number, os.strerror(number))
    return by_walking(root, name, flags)


def by_walking(root: int, name: bytes, flags: int) -> int:
    """Open segment by segment; the open folders on the way are what `..` in a link goes back through."""
    way: list[int] = []
    try:
        return _walk(root, name, flags, way)
    finally:
        for descriptor in way:
            os.close(descriptor)


def _walk(root: int, name: bytes, flags: int, way: list[int]) -> int:
    left = [segment for segment in reversed(name.split(b"/")) if segment not in (b"", b".")]
    links = 0
    while left:
        here = way[-1] if way else root
        segment = left.pop()
        if segment == b"..":
            _back(way)
            continue
        target = _link(here, segment)
        if target is not None:
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            if target.startswith(b"/"):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            left += [each for each in reversed(target.split(b"/")) if each not in (b"", b".")]
        elif left:
            way.append(os.open(segment, _FOLDER, dir_fd=here))
        else:
            return os.open(segment, flags | os.O_NOFOLLOW, dir_fd=here)
    return os.open(b".", flags, dir_fd=way[-1] if way else root)


def _back(way: list[int]) -> None:
    if not way:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    os.close(way.pop())


def _link(folder: int, name: bytes) -> bytes | None:
    """Return the target of a symbolic link, None if `name` is none. Raises OSError if it does not exist."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return None
