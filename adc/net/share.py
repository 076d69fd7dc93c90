"""The number of connections a worker accepts before it leaves some to the others. No I/O.

All workers accept on the same sockets. Of many connections that come at once the first worker that wakes up would take
the most, and keep them: one worker would be busy while others are idle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

BATCH: Final = 64
"""Connections accepted in a row before others of the same loop get their turn."""

AWAY: Final = 0.001
"""Seconds that a worker with more than its share leaves a queue to the others."""

WORKERS: Final = 64
"""Most workers that share; workers with a higher number accept without it."""

CELLS: Final = 2 * WORKERS
"""Integers of the shared memory: for each worker how many connections it holds, and until when it counts."""

_SLACK: Final = 2
"""Connections above the mean that are no reason to wait; and an eighth of the mean."""

_FEW: Final = 4
"""Connections accepted in a row when the others took none in their time."""

_INSIST: Final = 0.032
"""Longest back-off from workers that accepted nothing: they are busy, or hang."""

_UNEVEN: Final = 8
"""Connections above the mean that are no reason to send clients to other workers; and a quarter of the mean."""

_STALE: Final = 10 * AWAY
_COUNTS: Final = 300
"""Milliseconds for which a worker counts that does not tick any more."""


class Share:
    """The share of one worker, `number`; `cells` are in memory that all share, none if there is only one.

    `open_connections()` returns the worker's number of connections; it is `alone` if no other worker accepts. Times
    are monotonic seconds, the same in all processes.
    """

    def __init__(self, cells: memoryview[int] | list[int] | None = None, number: int = 0) -> None:
        self._cells: memoryview[int] | list[int] = [] if cells is None or number >= WORKERS else cells
        self._own = 2 * number
        self._others: Sequence[int] = ()
        self.alone = True
        self._left_at = 0.0
        self._left_with = 0
        self._insist = 0.0
        self._insist_until = 0.0
        self._evening = False
        self.open_connections: Callable[[], int] = _none

    def tick(self, now: float, accepts: bool) -> None:
        """Tell the others that this worker lives and whether it accepts; see which of them do."""
        cells = self._cells
        if cells:
            time = int(now * 1000)
            cells[self._own] = self.open_connections()
            cells[self._own + 1] = time + _COUNTS if accepts else 0
            self._others = [
                cell for cell in range(0, CELLS, 2) if cell != self._own and cells[cell + 1] > time
            ]
            self.alone = not self._others

    def surplus(self) -> int:
        """Return how many connections others should have; 0 while it is no more than chance brings about.

        Once there are more, it says so until no worker would leave the queue to others.
        A worker that came in place of another one begins with none, and clients keep their connections for hours.
        """
        others, cells = self._others, self._cells
        if not others:
            return 0
        connections = cells[self._own]
        mean = (connections + sum([cells[cell] for cell in others])) / (1 + len(others))
        enough = mean / 8 + _SLACK if self._evening else mean / 4 + _UNEVEN
        self._evening = connections > mean + enough
        return int(connections - mean) if self._evening else 0

    def leave(self) -> None:
        """Count no more among the workers; one with the same number may come in place of this one."""
        if self._cells:
            self._cells[self._own + 1] = 0
        self._cells, self._others, self.alone = [], (), True

    def room(self, now: float) -> int:
        """Return how many to accept in a row if not alone; 0: leave the queue to the others for `AWAY` seconds."""
        others, cells = self._others, self._cells
        connections = cells[self._own] = self.open_connections()
        of_others = 0
        for cell in others:
            of_others += cells[cell]
        mean = (connections + of_others) / (1 + len(others))
        room = int(mean + mean / 8 + _SLACK) - connections
        if room > 0:
            return min(room, BATCH)
        return self._ahead(now, of_others)

    def _ahead(self, now: float, of_others: int) -> int:
        if now < self._insist_until:
            return _FEW
        waited = now - self._left_at
        if waited < AWAY / 2:  # the queue of another socket
            return 0
        if of_others > self._left_with:
            self._insist = 0.0
        elif waited < _STALE:
            self._insist_until, self._left_at = now + self._insist, 0.0
            self._insist = min(2 * self._insist + AWAY, _INSIST)
            return _FEW
        self._left_at, self._left_with = now, of_others
        return 0

    def took(self) -> None:
        """Tell the others what was accepted."""
        self._cells[self._own] = self.open_connections()


def _none() -> int:
    return 0
