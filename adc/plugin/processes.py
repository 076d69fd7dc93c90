"""Processes for work of plugins that would hold the worker: what they are asked, what they raise, and their limits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

MOST_PROCESSES = 64
MOST_WAITING = 10_000

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """`workers` processes at most, and `waiting` jobs that none of them has begun. A job may take `seconds`, the import
    of its module apart, and each process `memory` bytes of address space; `nice` is what it gives way to others."""

    workers: int = 1
    waiting: int = 32
    memory: int = 512 << 20
    seconds: float = 10.0
    nice: int = 19

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("workers", self.workers, 1, MOST_PROCESSES),
            ("waiting", self.waiting, 0, MOST_WAITING),
            ("memory", self.memory, 64 << 20, 1 << 40),
            ("seconds", self.seconds, 0.001, 3600),
            ("nice", self.nice, 0, 19),
        ):
            if not low <= value <= high:
                raise ValueError(f"processes have {name} of {value:g}; allowed: {low:g} to {high:g}")


class PoolFull(Exception):
    """As many jobs as allowed are waiting already."""


class JobFailed(Exception):
    """A job has no result: the text says why. `overdue` if it took too long, `lost` if its process ended, `memory` if
    that had too little memory; without any of these the function raised something."""

    def __init__(
        self, reason: str, *, overdue: bool = False, lost: bool = False, memory: bool = False
    ) -> None:
        super().__init__(reason)
        self.overdue = overdue
        self.lost = lost
        self.memory = memory


class Processes(ABC):
    """A pool of processes of one plugin in one worker.

    They are started when there is work and ended when there is none for a minute; they end with the plugin and with the
    worker, however it ends.
    """

    @abstractmethod
    async def run(self, function: Callable[..., ResultT], *arguments: Any) -> ResultT:
        """Call `function` in one of the processes and return its result.

        It is a function of a module; the module is imported in the process, so it should import little. Arguments can
        be pickled; the result consists of bytes, texts, numbers, None and tuples, lists and dictionaries of these. A
        caller that is cancelled does not interrupt its job. Raises PoolFull and JobFailed.
        """

    @abstractmethod
    async def close(self) -> None:
        """End the processes."""
