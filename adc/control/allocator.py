"""Return of freed memory from worker processes to the system."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping

SETTINGS = {
    "MALLOC_ARENA_MAX": (-8, 2),
    "MALLOC_MMAP_THRESHOLD_": (-3, 1 << 20),
    "MALLOC_TRIM_THRESHOLD_": (-1, 4 << 20),
}
"""Settings of glibc's malloc for workers: number and value for mallopt(3), by the name of the environment variable with
which the operator may override them.

By default the first large block that is freed raises both thresholds, up to 32 and 64 MB: from then on large responses
lie in the heap, which returns nothing to the system while a small block lies behind them. Fixed thresholds give each
block from 1 MB on pages of its own, and keep blocks of the size of a read in the heap, where they cost no page faults.
"""

TRIM_SECONDS = 10.0
"""Seconds between two looks at the resident memory of a worker."""

FIRST_PAUSE = 3
"""Looks from a trim to the next one, if nothing grows."""

_LONGEST_PAUSE = 96
_GROWTH = 8 << 20
_PAGE = os.sysconf("SC_PAGE_SIZE")


def set_thresholds(environ: Mapping[str, str] = os.environ) -> None:
    """Apply `SETTINGS` to this process, except for what `environ` sets. No-op where the C library has no mallopt."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for number, value in due_settings(environ):
        mallopt(number, value)


def due_settings(environ: Mapping[str, str]) -> list[tuple[int, int]]:
    """Return numbers and values of the settings that `environ` leaves to adc."""
    return [setting for name, setting in SETTINGS.items() if name not in environ]


class HeapTrimmer:
    """Calls `trim` when resident memory has grown by 8 MB since it was lowest. What grew may have been freed since, and
    stays in the heap because smaller blocks in use lie behind it. A call takes a few milliseconds, 30 at worst.

    What is freed after a call, by a purge or at the end of a load, does not show in the resident memory. So further
    calls follow after 3, 6, 12 ... 96 looks without growth, while 8 MB more are resident than once were.
    """

    def __init__(self, resident: Callable[[], int], trim: Callable[[], object]) -> None:
        self._resident = resident
        self._trim = trim
        self._floor = self._least = resident()
        self._pause = FIRST_PAUSE
        self._looks = 0

    def look(self) -> None:
        """Trim if that is due."""
        found = self._resident()
        self._looks += 1
        grown = found > self._floor + _GROWTH
        if grown or (self._looks >= self._pause and found > self._least + _GROWTH):
            self._trim()
            left = self._resident()
            useful = grown or left < found - _GROWTH
            self._pause = FIRST_PAUSE if useful else min(2 * self._pause, _LONGEST_PAUSE)
            self._looks = 0
            self._floor = left
        else:
            self._floor = min(self._floor, found)
        self._least = min(self._least, self._floor)


def heap_trimmer() -> HeapTrimmer | None:
    """Return the one for this process; None where the C library cannot trim its heap."""
    try:
        malloc_trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return HeapTrimmer(_resident_bytes, lambda: malloc_trim(0))


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * _PAGE
