"""QUIC connection ids with their members, in memory that all workers of a machine may share. No I/O."""

from __future__ import annotations

from hashlib import blake2b
from mmap import mmap
from typing import Final

WAYS: Final = 8
"""Places that an id may have; the one that was learned first makes room."""

PLACES: Final = 1 << 18
"""Ids in the memory of a machine, 16 bytes each. Pages that are never written take no memory."""

_SECRET_WORDS: Final = 2
_LENGTHS: Final = -1
"""Place of the word with a bit for each length of ids that members have chosen."""

_TAIL_WORDS: Final = _SECRET_WORDS + 1

SECRET_BYTES: Final = _SECRET_WORDS * 8
SECRET_AT: Final = PLACES * 16
BYTES: Final = PLACES * 16 + _TAIL_WORDS * 8
"""Size of the memory: ids, a secret at SECRET_AT that hides their places from clients, and the lengths."""

_HALF: Final = (1 << 32) - 1


class IdMemory:
    """Members by connection id, each member as a number of 32 bits.

    A place is two words: the id's hash, then the seconds at which it was learned beside the member. Workers write
    without a lock. The member is stored xor another part of the id's hash, so that words of two ids that were written
    at once name no member.
    """

    def __init__(self, memory: memoryview[int] | None = None) -> None:
        self._memory = memoryview(mmap(-1, BYTES)).cast("Q") if memory is None else memory
        self._sets = (len(self._memory) - _TAIL_WORDS) // (2 * WAYS)
        self._secret = self._memory[-_TAIL_WORDS:_LENGTHS].tobytes()

    def put(self, name: bytes, member: int, now: float) -> None:
        """Remember the member of an id, learned at `now` (monotonic seconds)."""
        number, mask = self._hashes(name)
        memory = self._memory
        first = place = number % self._sets * 2 * WAYS
        oldest = _HALF + 1
        for each in range(first, first + 2 * WAYS, 2):
            if memory[each] == number:
                place = each
                break
            learned = memory[each + 1] >> 32
            if learned < oldest:
                place, oldest = each, learned
        memory[place] = number
        memory[place + 1] = (max(1, int(now)) & _HALF) << 32 | member ^ mask

    def get(self, name: bytes) -> int | None:
        """Return the member of an id; None, or a number that is no member's, if it is unknown."""
        number, mask = self._hashes(name)
        memory = self._memory
        first = number % self._sets * 2 * WAYS
        for place in range(first, first + 2 * WAYS, 2):
            if memory[place] == number:
                return (memory[place + 1] & _HALF) ^ mask
        return None

    def chosen(self, length: int) -> None:
        """Record that members choose ids of `length` bytes."""
        bit = 1 << length
        if not self._memory[_LENGTHS] & bit:
            self._memory[_LENGTHS] |= bit

    def lengths(self) -> list[int]:
        """Return the lengths of the ids that members have chosen, in bytes."""
        word = self._memory[_LENGTHS]
        return [length for length in range(word.bit_length()) if word >> length & 1]

    def _hashes(self, name: bytes) -> tuple[int, int]:
        digest = blake2b(name, digest_size=12, key=self._secret).digest()
        return int.from_bytes(digest[:8], "little") | 1, int.from_bytes(digest[8:], "little")
