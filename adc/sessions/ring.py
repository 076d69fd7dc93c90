"""Sessions with one idle time, in buckets by their last activity: those idle longest are found without a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adc.sessions.session import Session, Timeouts

GRAIN: Final = 0.1
"""Seconds of one bucket."""

_STEPS: Final = 64
"""Empty buckets to step over before the next one is searched among all."""


class Ring:
    """The sessions of one listener in one state.

    A session is in the bucket of its `last` as it was when the ring looked. Activity moves no session: it is found in
    an old bucket later and moved then. So the first bucket holds the session that is idle longest, or active ones.
    """

    __slots__ = ("_buckets", "_first", "count", "listener", "protocol", "state", "timeouts")

    def __init__(self, protocol: str, listener: str, state: int, timeouts: Timeouts) -> None:
        self.protocol = protocol
        self.listener = listener
        self.state = state
        self.timeouts = timeouts
        self.count: int = 0
        self._buckets: dict[int, dict[Session, None]] = {}
        self._first: int = 0

    def add(self, session: Session) -> None:
        """Put a session into the bucket of its last activity."""
        bucket = int(session.last / GRAIN)
        self.count += 1
        session.ring = self
        session.bucket = bucket
        sessions = self._buckets.get(bucket)
        if sessions is not None:
            sessions[session] = None
            return
        if not self._buckets or bucket < self._first:
            self._first = bucket
        self._buckets[bucket] = {session: None}

    def remove(self, session: Session) -> None:
        """Take out a session that is in this ring."""
        self.count -= 1
        session.ring = None
        sessions = self._buckets[session.bucket]
        del sessions[session]
        if not sessions:
            del self._buckets[session.bucket]

    def due(self, now: float, idle: float | None = None) -> Session | None:
        """Return a session whose bucket is older than `idle` seconds, by default the idle time of the ring; it may have
        been active since."""
        if not self.count:
            return None
        first = self._advance()
        if (first + 1) * GRAIN + (self.timeouts.of(self.state) if idle is None else idle) > now:
            return None
        return _last_of(self._buckets[first])

    def refresh(self, session: Session) -> bool:
        """Move a session that has been active since the ring looked; False if it has not been."""
        if int(session.last / GRAIN) == session.bucket:
            return False
        self.remove(session)
        self.add(session)
        return True

    def oldest(self) -> Session | None:
        """Return a session of the first bucket, None if the ring is empty."""
        return _last_of(self._buckets[self._advance()]) if self.count else None

    def _advance(self) -> int:
        """Return the first bucket; the ring is not empty."""
        first = self._first
        buckets = self._buckets
        if first not in buckets:
            for _ in range(_STEPS):
                first += 1
                if first in buckets:
                    break
            else:
                first = min(buckets)
            self._first = first
        return first


def _last_of(sessions: dict[Session, None]) -> Session:
    """Return the session that entered a bucket last: dicts find it without a walk over entries that have left."""
    return next(reversed(sessions))
