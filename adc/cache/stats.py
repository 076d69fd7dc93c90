"""Counters of one store: plain integers."""

from __future__ import annotations


class Stats:
    """Counters of one worker's store since it was opened; sizes are in bytes."""

    __slots__ = (
        "corrupt",
        "disk_hits",
        "evicted_disk",
        "evicted_memory",
        "failed_writes",
        "memory_hits",
        "misses",
        "no_room",
        "purged",
        "stored",
        "stored_bytes",
        "too_large",
    )

    def __init__(self) -> None:
        self.memory_hits = 0
        self.disk_hits = 0
        self.misses = 0
        self.stored = 0
        self.stored_bytes = 0
        self.too_large = 0
        self.no_room = 0
        self.failed_writes = 0
        self.corrupt = 0
        self.purged = 0
        self.evicted_memory = 0
        self.evicted_disk = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in self.__slots__}
