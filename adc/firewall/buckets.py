"""Token buckets of sources, in memory that all workers of a machine may share. No I/O."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

WAYS: Final = 8
"""Places that a key may have."""

SLOTS: Final = 1 << 16
"""Buckets in the memory of a machine, 16 bytes each; with more active sources the fullest ones are kept."""

_SECRET_WORDS: Final = 2

SECRET_BYTES: Final = _SECRET_WORDS * 8

BYTES: Final = SLOTS * 16 + SECRET_BYTES
"""Size of the memory: the buckets, then a secret that hides the places of keys from clients."""

_SECOND: Final = 1_000_000_000


class Buckets:
    """Buckets as the generic cell rate algorithm stores them: one time each, at which the bucket is full again.

    `memory` holds pairs of key and time in nanoseconds of the machine's monotonic clock. Workers write it without a
    lock: two that count the same source within the same microsecond may count one event less. A source whose bucket
    is full needs no place, so that places are free again without being removed.
    """

    def __init__(self, memory: memoryview[int] | None = None) -> None:
        self._memory = memoryview(bytearray(BYTES)).cast("Q") if memory is None else memory
        self._sets = (len(self._memory) - _SECRET_WORDS) // (2 * WAYS)
        self._secret = self._memory[-_SECRET_WORDS:].tobytes()

    def over(self, key: bytes, interval: float, burst: int, now: float) -> bool:
        """Count an event of `key` at `now` unless it is above the rate; True if it is.

        The rate is one event in `interval` seconds, `burst` at once.
        """
        number = int.from_bytes(blake2b(key, digest_size=8, key=self._secret).digest(), "little") | 1
        memory = self._memory
        place = self._place(number)
        time = int(now * _SECOND)
        step = max(1, int(interval * _SECOND))
        full = max(memory[place + 1], time) if memory[place] == number else time
        if full - time > step * (burst - 1):
            if full - time > step * burst:  # counted under another rate, before a reload
                memory[place + 1] = time + step * burst
            return True
        memory[place], memory[place + 1] = number, full + step
        return False

    def _place(self, number: int) -> int:
        """Return the place of a key, else the one whose bucket has been full for longest."""
        memory = self._memory
        first = number % self._sets * 2 * WAYS
        oldest = first
        for place in range(first, first + 2 * WAYS, 2):
            if memory[place] == number:
                return place
            if memory[place + 1] < memory[oldest + 1]:
                oldest = place
        return oldest
