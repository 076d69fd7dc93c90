"""The connections of each source in all workers of a machine. No I/O."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

WORKERS: Final = 64
"""Most workers that share; those with a higher number count alone."""

WAYS: Final = 8
"""Places that a source may have."""

PLACES: Final = 1 << 15
"""Sources of one worker, 8 bytes each. Pages that are never written take no memory."""

_SECRET_WORDS: Final = 2
_HEAD: Final = WORKERS + _SECRET_WORDS

SECRET_BYTES: Final = _SECRET_WORDS * 8
SECRET_AT: Final = WORKERS * 8
BYTES: Final = 8 * (_HEAD + WORKERS * PLACES)
"""Size of the memory: for each worker whether it has counted, a secret at SECRET_AT that hides the places of sources
from clients, then a row for each worker."""

_COUNT_BYTES: Final = 3
_COUNT_BITS: Final = 8 * _COUNT_BYTES
_WORD: Final = 8
_MAX_COUNT: Final = (1 << _COUNT_BITS) - 1
_REMEMBERED: Final = 1024


class _Place(NamedTuple):
    """The first place of a source in each row, and what its words end with; the count is in front of it."""

    first: int
    tag: bytes


def _find(words: memoryview[int], tag: bytes) -> int:
    """Return the place of the word that ends with `tag`, -1 if there is none."""
    data = words.tobytes()
    at = data.find(tag)
    while at >= 0 and at % _WORD != _COUNT_BYTES:
        at = data.find(tag, at + 1)
    return at // _WORD


class SharedSources:
    """The counts of worker `number` beside those of the others, in `cells`: memory that all share, a row for each.

    A word of a row is a source and its count, so that no reader sees one without the other. A worker writes its own row
    only, so that no count is lost, and those of a worker that died go when another one takes its number. A source that
    finds no place is counted by its worker alone. Without `cells` this worker counts alone.
    """

    def __init__(self, cells: memoryview[int] | None = None, number: int = 0) -> None:
        self._number = number
        self._cells: memoryview[int] | None = None
        self._others: tuple[memoryview[int], ...] = ()
        if cells is None or number >= WORKERS:
            return
        self._cells = cells
        self._size = (len(cells) - _HEAD) // WORKERS
        self._own = self._row(cells, number)
        self._clear(cells)
        secret = cells[WORKERS:_HEAD].tobytes()
        sets = self._size // WAYS

        @lru_cache(_REMEMBERED)
        def place_of(name: bytes) -> _Place:
            digest = blake2b(name, digest_size=16, key=secret).digest()
            first = int.from_bytes(digest[8:], "little") % sets * WAYS
            return _Place(first, digest[_COUNT_BYTES:7] + bytes((digest[7] | 1,)))  # no word is zero

        self._place_of = place_of

    def _row(self, cells: memoryview[int], number: int) -> memoryview[int]:
        start = _HEAD + number * self._size
        return cells[start : start + self._size]

    def _clear(self, cells: memoryview[int]) -> None:
        """Forget the counts of the worker that had the number before."""
        if cells[self._number]:
            self._own.cast("B")[:] = bytes(8 * self._size)
            cells[self._number] = 0

    def follow(self, workers: int) -> None:
        """Count those of so many workers from now on."""
        cells = self._cells
        if cells is not None:
            numbers = (number for number in range(min(workers, WORKERS)) if number != self._number)
            self._others = tuple(self._row(cells, number) for number in numbers)

    def of(self, listener: str) -> ListenerSources | None:
        """Return the counts of a listener; None if this worker counts alone."""
        return None if self._cells is None else ListenerSources(self, listener)

    def report(self, name: bytes, count: int) -> None:
        """Publish the number of connections of `name` in this worker."""
        cells = self._cells
        if cells is None:
            return
        cells[self._number], row = 1, self._own
        first, tag = self._place_of(name)
        words = row[first : first + WAYS]
        place = _find(words, tag)
        if place < 0 and 0 in words:
            place = words.tolist().index(0)
        if place >= 0:
            head = int.from_bytes(tag, "little") << _COUNT_BITS
            words[place] = head | min(count, _MAX_COUNT) if count else 0

    def elsewhere(self, name: bytes) -> int:
        """Return the number of connections of `name` in the other workers."""
        total = 0
        if self._others:
            first, tag = self._place_of(name)
            for row in self._others:
                words = row[first : first + WAYS]
                place = _find(words, tag)
                if place >= 0:
                    total += words[place] & _MAX_COUNT
        return total

    def leave(self) -> None:
        """Count no more for the others; a worker with the same number may come in place of this one."""
        cells = self._cells
        if cells is not None:
            self._clear(cells)
        self._cells, self._others = None, ()


class ListenerSources:
    """The counts of the sources of one listener."""

    __slots__ = ("_prefix", "_shared")

    def __init__(self, shared: SharedSources, listener: str) -> None:
        self._shared = shared
        self._prefix = f"{listener}\0".encode()

    def report(self, source: str | int, count: int) -> None:
        """Publish the number of connections of `source` in this worker."""
        self._shared.report(self._name(source), count)

    def elsewhere(self, source: str | int) -> int:
        """Return the number of connections of `source` in the other workers."""
        return self._shared.elsewhere(self._name(source))

    def _name(self, source: str | int) -> bytes:
        return b"%b%b" % (self._prefix, str(source).encode())
