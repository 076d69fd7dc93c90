"""What /proc tells of a process tree: CPU time and resident memory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Stat(NamedTuple):
    """The fields of /proc/<pid>/stat used here. `cpu` is user plus system time in seconds, of all threads."""

    pid: int
    parent: int
    cpu: float
    rss: int


def parse_stat(text: str, ticks_per_second: int = TICKS_PER_SECOND, page_bytes: int = PAGE_BYTES) -> Stat:
    """Read one /proc/<pid>/stat line (proc(5)); the command name may hold spaces and brackets."""
    pid, _, rest = text.partition(" ")
    fields = rest[rest.rindex(")") + 2 :].split()
    user, system, rss_pages = int(fields[11]), int(fields[12]), int(fields[21])
    return Stat(int(pid), int(fields[1]), (user + system) / ticks_per_second, rss_pages * page_bytes)


def read_all() -> list[Stat]:
    """The processes of this machine that are alive now."""
    stats = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stats.append(parse_stat((entry / "stat").read_text()))
            except (FileNotFoundError, ProcessLookupError):
                continue
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
