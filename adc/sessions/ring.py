"""Sessions with one idle time, in buckets by their last activity: those idle longest are found without a search."""

from __future__ import annotations

from typing import Final

from adc.sessions.session import Bucket, Session, Timeouts

GRAIN: Final = 0.1
"""Seconds of one bucket."""

_STEPS: Final = 64
"""Empty buckets to step over before the next one is searched among all."""


class Ring:
    """The sessions of one listener in one state.

    A session is in the bucket of its `last` as it was when the ring looked. Activity moves no session: it is found in
    an old bucket later and moved then. So the first bucket holds the session that is idle longest, or active ones.
    """

    __slots__ = ("_buckets", "_first", "_latest", "count", "listener", "protocol", "state", "timeouts")

    def __init__(self, protocol: str, listener: str, state: int, timeouts: Timeouts) -> None:
        self.protocol = protocol
        self.listener = listener
        self.state = state
        self.timeouts = timeouts
        self.count: int = 0
        self._buckets: dict[int, Bucket] = {}
        self._first: int = 0
        self._latest: Bucket | None = None

    def add(self, session: Session) -> None:
        """Put a session into the bucket of its last activity."""
        number = int(session.last / GRAIN)
        bucket = self._latest
        if bucket is None or bucket.number != number:
            bucket = self._latest = self._bucket(number)
        first = bucket.first
        if first is not None:
            first.previous = session
            session.next = first
        bucket.first = session
        session.bucket = bucket
        session.ring = self
        self.count += 1

    def _bucket(self, number: int) -> Bucket:
        """Return the bucket with this number, which may be a new one."""
        bucket = self._buckets.get(number)
        if bucket is None:
            if not self._buckets or number < self._first:
                self._first = number
            bucket = self._buckets[number] = Bucket(number)
        return bucket

    def remove(self, session: Session) -> None:
        """Take out a session that is in this ring."""
        previous, following, bucket = session.previous, session.next, session.bucket
        if following is not None:
            following.previous = previous
            session.next = None
        if previous is not None:
            previous.next = following
            session.previous = None
        elif bucket is not None:
            bucket.first = following
            if following is None:
                del self._buckets[bucket.number]
                self._latest = None
        session.bucket = None
        session.ring = None
        self.count -= 1

    def due(self, now: float, idle: float | None = None) -> Session | None:
        """Return a session whose bucket is older than `idle` seconds, by default the idle time of the ring; it may have
        been active since."""
        bucket = self.first_bucket()
        if bucket is None:
            return None
        if (bucket.number + 1) * GRAIN + (self.timeouts.of(self.state) if idle is None else idle) > now:
            return None
        return bucket.first

    def refresh(self, session: Session) -> bool:
        """Move a session that has been active since the ring looked; False if it has not been."""
        bucket = session.bucket
        if bucket is None or int(session.last / GRAIN) == bucket.number:
            return False
        self.remove(session)
        self.add(session)
        return True

    def first_bucket(self) -> Bucket | None:
        """Return the oldest bucket, None if the ring is empty."""
        if not self.count:
            return None
        first, buckets = self._first, self._buckets
        bucket = buckets.get(first)
        if bucket is None:
            for _ in range(_STEPS):
                first += 1
                if first in buckets:
                    break
            else:
                first = min(buckets)
            self._first = first
            bucket = buckets[first]
        return bucket
