"""The number of sessions in all workers of a machine. No I/O."""

from __future__ import annotations

from collections.abc import MutableSequence


class SharedTotal:
    """What worker `number` reports, and the others, in `cells`: an integer for each, in memory that all share.

    Without `cells`, or as a worker of a higher number than there are cells, it counts alone.
    """

    def __init__(self, cells: MutableSequence[int] | memoryview[int] | None = None, number: int = 0) -> None:
        self.number = number
        self._cells = None if cells is None or number >= len(cells) else cells
        self._others: tuple[int, ...] = ()
        self.report(0)  # in place of the worker that had the number before

    def follow(self, workers: int) -> None:
        """Count those of so many workers from now on."""
        cells = self._cells
        count = 0 if cells is None else min(workers, len(cells))
        self._others = tuple(number for number in range(count) if number != self.number)

    def report(self, count: int) -> None:
        """Publish the number of sessions of this worker."""
        if self._cells is not None:
            self._cells[self.number] = count

    def elsewhere(self) -> int:
        """Return the number of sessions in the other workers."""
        cells, total = self._cells, 0
        if cells is not None:
            for number in self._others:
                total += cells[number]
        return total

    def leave(self) -> None:
        """Count no more for the others; a worker with the same number may come in place of this one."""
        self.report(0)
        self._cells = None
