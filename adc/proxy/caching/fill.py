"""A response on its way from the member into the store and to all who wait for it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from adc.cache.entry import Entry
from adc.cache.filling import Filling
from adc.cache.parts import combined, joinable
from adc.cache.tiered import TieredStore
from adc.proxy.caching.local_response import LocalResponse

if TYPE_CHECKING:
    from adc.proxy.attempt import Attempt
    from adc.proxy.caching.fetch import Fetch
    from adc.proxy.exchange import Exchange

PIECE = 64 << 10


class Follower(LocalResponse):
    """An exchange that is answered from a fetch. `position`: bytes of the content that it was given;
    `asked`: the try whose response only this exchange gets."""

    __slots__ = ("asked", "blocked", "fetch", "position")

    def __init__(self, exchange: Exchange, fetch: Fetch) -> None:
        super().__init__(exchange)
        self.fetch = fetch
        self.asked: Attempt | None = None
        self.position = 0
        self.blocked = False

    @property
    def answered_by(self) -> Attempt | None:
        return self.asked

    def pause_reading(self) -> None:
        self.blocked = True
        self.fetch.pace()

    @property
    def is_slow(self) -> bool:
        return False

    def resume_reading(self) -> None:
        self.blocked = False
        fetch, fill = self.fetch, self.fetch.fill
        if fill is not None:
            fill.catch_up(self)
            fill.drop_unread(fetch.sources)
        fetch.pace()

    def left(self) -> None:
        self.fetch.left(self)

    def finish(self) -> None:
        super().finish()
        self.fetch.released(self)


class Fill:
    """Content so far. `filling` is None for a response that is not stored.

    Who keeps up gets the content as it comes, without a copy; who is slow reads later what was stored. The
    member is held up only while everybody is slow, and while anybody is once the content cannot be stored.
    """

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
    def remaining(self) -> int:
        """Return how many bytes the store may still receive."""
        return 0 if self.filling is None else self.filling.remaining

    def take(self, data: bytes) -> None:
        """More content: into the store."""
        self.length += len(data)
        if data and self.filling is not None:
            self.filling.write(data)

    def drop_unread(self, sources: Iterable[Follower]) -> None:
        """Drop what was collected once it cannot be stored and none of `sources` has to read it any more."""
        filling = self.filling
        if filling is None or not filling.failed:
            return
        if all(source.over or source.position >= self.length for source in sources):
            filling.abort(filling.failed)

    def give(self, data: bytes, end: bool, sources: tuple[Follower, ...]) -> None:
        """The same content to everybody who keeps up."""
        start = self.length - len(data)
        for source in sources:
            if source.over or source.position != start:
                continue
            if source.blocked and data and self.stored and len(sources) > 1:
                continue
            source.position = self.length
            self._give(source, data, end)

    def catch_up(self, source: Follower) -> None:
        """Give a source what came while it was blocked."""
        while not (source.blocked or source.over) and source.position < self.length:
            data = self._read(source.position)
            if not data:
                source.exchange.fail(502, "cache_failed")
                return
            source.position += len(data)
            self._give(source, data, self.complete and source.position == self.length)

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

    def _give(self, source: Follower, data: bytes, end: bool) -> None:
        if end:
            source.finish()
            source.fetch.tell(source)
        source.exchange.respond_body(data, end)

    def _read(self, start: int) -> bytes:
        if self.filling is None:
            return b""
        try:
            return self.filling.read_at(start, PIECE)
        except OSError:
            return b""
