"""A response on its way from the member into the store."""

from __future__ import annotations

import time

from adc.cache.entry import Entry
from adc.cache.filling import Filling
from adc.cache.parts import combined, joinable
from adc.cache.tiered import TieredStore

PIECE = 64 << 10


class Fill:
    """Content so far: `length` bytes, `complete` once all has come. `filling` is None for a response that is not
    stored."""

    __slots__ = ("complete", "filling", "length")

    def __init__(self, filling: Filling | None) -> None:
        self.filling = filling
        self.length = 0
        self.complete = False

    @property
    def stored(self) -> bool:
        """True if slow clients can read later from the store, and an unwanted response is worth finishing."""
        return self.filling is not None and not self.filling.failed

    @property
    def failed(self) -> str:
        """The reason why content that was collected cannot be stored; "" if it can, or nothing was collected."""
        return "" if self.filling is None else self.filling.failed

    @property
    def remaining(self) -> int:
        """Return how many bytes the store may still receive."""
        return 0 if self.filling is None else self.filling.remaining

    def take(self, data: bytes) -> None:
        """Store more content."""
        self.length += len(data)
        if data and self.filling is not None:
            self.filling.write(data)

    def read(self, start: int) -> bytes:
        """Return content from `start` on; b"" if it is not there."""
        if self.filling is None:
            return b""
        try:
            return self.filling.read_at(start, PIECE)
        except OSError:
            return b""

    def commit(self, tiers: TieredStore, mark: int) -> Entry | None:
        """Store what has come, which is all. None if it was not to be stored or could not be."""
        filling = self.filling
        if filling is None or filling.failed:
            return None
        now = time.time()
        if filling.entry.part is None or self.length > tiers.memory.max_object:
            return filling.commit(now)
        if filling.entry.part.length != self.length:
            return None
        part = filling.entry.filled(filling.read_at(0, self.length), self.length)
        limit = tiers.memory.max_object
        loaded = [tiers.load(held) for held in joinable(part, tiers.find(part.key, now), limit)]
        whole = combined(part, [held for held in loaded if held is not None], limit)
        return tiers.put(whole, mark, now)

    def abort(self, reason: str) -> None:
        """Store nothing."""
        if self.filling is not None:
            self.filling.abort(reason)
