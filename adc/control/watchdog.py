"""Finds workers that hang by the answers that they give, without I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

Worker = TypeVar("Worker")

LOOK = 1.0
"""Seconds between two looks."""

QUIET = 3.0
"""Seconds of silence after which a worker counts as not ready."""


class Watchdog(Generic[Worker]):
    """Counts for how long each worker has not answered.

    A look that comes late counts as one in time: if this process did not run, the machine is busy or was asleep, and
    the workers had no time to answer either. A worker hangs if two looks in a row find it over the limit, so that an
    answer that has arrived already is read before the verdict.
    """

    def __init__(self) -> None:
        self._silent: dict[Worker, float] = {}
        self._suspects: set[Worker] = set()

    def answered(self, worker: Worker) -> None:
        """Note that `worker` answers."""
        self._silent.pop(worker, None)
        self._suspects.discard(worker)

    def look(self, workers: Iterable[Worker], elapsed: float, limit: float) -> list[Worker]:
        """Return the `workers` that hang, `elapsed` seconds after the last check. `limit` 0: none ever does."""
        silent = {worker: self._silent.get(worker, 0.0) + min(elapsed, LOOK) for worker in workers}
        over = {worker for worker, seconds in silent.items() if 0 < limit <= seconds}
        found = [worker for worker in over if worker in self._suspects]
        self._silent, self._suspects = silent, over
        return found

    def quiet(self) -> list[Worker]:
        """Return the workers that have not answered for a while."""
        return [worker for worker, seconds in self._silent.items() if seconds > QUIET]
