"""CPU time and resident memory of a process tree."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_CPU_TIME = 2
"""CPUCLOCK_SCHED of the kernel, which makes a clock id of the inverted pid, as clock_getcpuclockid(3) does."""


class Stat(NamedTuple):
    """One process. `cpu` is the user plus system time of all its threads in seconds, `rss` is in bytes."""

    pid: int
    parent: int
    cpu: float
    rss: int


def parse_stat(text: str, cpu: float = 0.0, page_bytes: int = PAGE_BYTES) -> Stat:
    """Parse one /proc/<pid>/stat line (proc(5)); the command name may hold spaces and brackets."""
    pid, _, rest = text.partition(" ")
    fields = rest[rest.rindex(")") + 2 :].split()
    return Stat(int(pid), int(fields[1]), cpu, int(fields[21]) * page_bytes)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of `pid` from its own clock: /proc/<pid>/stat has it in steps of 10 ms, a tenth of what a
    peer uses in a short run at a low rate. Raises OSError once the process has been reaped."""
    return time.clock_gettime(~pid << 3 | _CPU_TIME)


def read_all() -> list[Stat]:
    """The processes of this machine that are alive now."""
    stats = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                stats.append(parse_stat((entry / "stat").read_text(), cpu_seconds(int(entry.name))))
    return stats


def descendants(roots: Iterable[int], stats: Iterable[Stat]) -> dict[int, Stat]:
    """The `roots` and everything below them, by pid."""
    stats = list(stats)
    children: dict[int, list[Stat]] = {}
    for stat in stats:
        children.setdefault(stat.parent, []).append(stat)
    wanted = set(roots)
    found = {stat.pid: stat for stat in stats if stat.pid in wanted}
    queue = list(found)
    while queue:
        for child in children.get(queue.pop(), ()):
            if child.pid not in found:
                found[child.pid] = child
                queue.append(child.pid)
    return found
