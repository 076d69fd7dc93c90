"""Another load with the CPU time of the whole machine: packets that the kernel forwards cost no process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.cores import TICKS
from benchmarks.figures import Figures
from benchmarks.running import Running

_BUSY = (0, 1, 2, 5, 6)
"""Of the numbers in /proc/stat (proc(5)): user, nice, system, irq, softirq."""


class _Load(Protocol):
    @property
    def fresh(self) -> bool: ...

    def warm_up(self, peer: Running) -> None: ...

    def measure(self, peer: Running, seconds: int) -> Figures: ...


@dataclass(frozen=True)
class Machine:
    """`load`, whose figures get `machine_us` or `machine_us_per_mb`: load, member, peer and all other programs."""

    load: _Load

    @property
    def fresh(self) -> bool:
        """As the load says."""
        return self.load.fresh

    def warm_up(self, peer: Running) -> None:
        """Warm up the load."""
        self.load.warm_up(peer)

    def measure(self, peer: Running, seconds: int) -> Figures:
        """Run once. Raises what the load raises."""
        before = busy_seconds(Path("/proc/stat").read_text().splitlines())
        figures = self.load.measure(peer, seconds)
        used = busy_seconds(Path("/proc/stat").read_text().splitlines()) - before
        if "rate" in figures:
            return {**figures, "machine_us": used * 1e6 / (figures["rate"] * seconds)}
        return {**figures, "machine_us_per_mb": used * 1e6 / (figures["mb_per_s"] * seconds)}


def busy_seconds(lines: Iterable[str]) -> float:
    """Return the CPU seconds that all cores have worked, from the lines of /proc/stat."""
    total = next(line.split()[1:] for line in lines if line.startswith("cpu "))
    return sum(int(total[place]) for place in _BUSY) / TICKS
