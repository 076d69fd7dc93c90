"""File descriptors of this process: how many there may be, and how many of them clients may have."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from typing import Protocol

_OPEN = "/proc/self/fd"

_LIST_PAUSE = 1.0
"""Seconds between two lists of what is open."""


def raise_limit() -> None:
    """Let this process open as many as it may: clients and members need one each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def last_for_clients(datagrams: int = 0) -> int:
    """Return the descriptor from which on nothing is accepted: half the limit, because each client may need one to a
    member. UDP sessions, which use `datagrams`, have theirs already."""
    return (_limit() + datagrams) // 2


def last_for_datagrams() -> int:
    """Return the descriptor from which on no UDP session is opened: an eighth is left for everything else."""
    return _limit() - _limit() // 8


def most_for_datagrams(alone: bool) -> int:
    """Return the number of descriptors that UDP sessions may use: three eighths of the limit, all but an eighth if the
    worker is `alone` with them, without listeners that accept connections."""
    return _limit() // 8 * (7 if alone else 3)


def opened() -> int:
    """Return the number of open descriptors. Raises OSError.

    Linux 6.2 and later know it; before, a list of them takes a millisecond per thousand.
    """
    return _counted() or _listed()


def _limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 31 if soft == resource.RLIM_INFINITY else soft


def _counted() -> int:
    """Return the number of open descriptors; 0 before Linux 6.2, where the folder has no size."""
    return os.stat(_OPEN).st_size


def _listed() -> int:
    return len(os.listdir(_OPEN))


class Spare(Protocol):
    """Descriptors that can be closed now: `idle` of them, connections to members."""

    @property
    def idle(self) -> int: ...

    def close_idle(self) -> None:
        """Close them; they count until the next loop iteration."""


class DescriptorWatch:
    """Tells a paused listener when descriptors are free again.

    It closes those of `spare` first. `counted()` returns the number of open descriptors at no cost, 0 if it cannot;
    `listed()` takes a millisecond per thousand and is called at most once a second. Both may raise OSError.
    """

    def __init__(
        self, spare: Spare, counted: Callable[[], int] = _counted, listed: Callable[[], int] = _listed
    ) -> None:
        self._spare = spare
        self._counted = counted
        self._listed = listed
        self._next_list = 0.0

    def left(self, limit: int, now: float) -> bool:
        """True if well under `limit` descriptors are open at `now` (monotonic seconds); False if the number is
        unknown."""
        try:
            count = self._counted()
            if not count:
                if now < self._next_list:
                    return False
                self._next_list = now + _LIST_PAUSE
                count = self._listed()
        except OSError:
            return False
        enough = limit - limit // 16
        if count >= enough > count - self._spare.idle:
            self._spare.close_idle()
        return count < enough
