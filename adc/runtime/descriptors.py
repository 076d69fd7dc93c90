"""File descriptors of this process: how many there may be, and how many of them clients may have."""

from __future__ import annotations

import os
import resource


def raise_limit() -> None:
    """Let this process open as many as it may: clients and members need one each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def last_for_clients() -> int:
    """The descriptor from which on nothing is accepted: half the limit, as each client may need one to a member."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 1 << 30
    return soft // 2


def left(limit: int) -> bool:
    """Whether well under `limit` are open. The lowest free one does not tell: who leaves makes gaps under others."""
    try:
        return len(os.listdir("/proc/self/fd")) < limit - limit // 16
    except OSError:
        return False
