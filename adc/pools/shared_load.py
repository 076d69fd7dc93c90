"""Attempts in flight at members, added up over the workers of a machine. No I/O."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from zlib import crc32

WORKERS: Final = 64
"""Most workers that share; those with a higher number count alone."""

PLACES: Final = 4096
"""Counts of one worker."""

BYTES: Final = 8 * WORKERS * PLACES

_MOST_MEMBERS: Final = PLACES // 4


class SharedLoads:
    """The counts of worker `number` beside those of the others, in `cells`: memory that all share, a row for each.

    A worker writes its own row only, so that no count is lost. None: this worker counts alone.
    """

    def __init__(self, cells: memoryview[int] | None = None, number: int = 0) -> None:
        self._number = number
        self._rows: list[memoryview[int]] = []
        self.own: memoryview[int] | list[int] = []
        if cells is not None and number < WORKERS:
            self._rows = [cells[row * PLACES : (row + 1) * PLACES] for row in range(WORKERS)]
            self.own = self._rows[number]
            self._clear()  # of the worker that had the number before

    def of(self, pool: str, addresses: Collection[str], workers: int) -> dict[str, SharedLoad]:
        """Return the load of each member of a pool, by address; none if this is the only one of `workers`.

        Members of other pools may have the same place: their attempts count too then.
        """
        if not self._rows or workers < 2 or len(addresses) > _MOST_MEMBERS:
            return {}
        others = tuple(row for number, row in enumerate(self._rows[:workers]) if number != self._number)
        places: dict[int, str] = {}
        for address in sorted(set(addresses)):
            place = crc32(f"{pool}\0{address}".encode()) % PLACES
            while place in places:
                place = (place + 1) % PLACES
            places[place] = address
        return {address: SharedLoad(self, place, others) for place, address in places.items()}

    def leave(self) -> None:
        """Count no more for the others; a worker with the same number may come in place of this one."""
        if self._rows:
            self._clear()
            self._rows, self.own = [], [0] * PLACES

    def _clear(self) -> None:
        for place in range(PLACES):
            self.own[place] = 0


class SharedLoad:
    """The attempts in flight at one member."""

    __slots__ = ("_loads", "_others", "_place")

    def __init__(self, loads: SharedLoads, place: int, others: tuple[memoryview[int], ...]) -> None:
        self._loads = loads
        self._place = place
        self._others = others

    def add(self, count: int) -> None:
        """Add to the attempts of this worker."""
        self._loads.own[self._place] += count

    def elsewhere(self) -> int:
        """Return the attempts of the other workers."""
        total = 0
        place = self._place
        for row in self._others:
            total += row[place]
        return total
