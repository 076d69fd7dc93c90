"""A rate limit for each kind of event; it takes the time as an argument."""

from __future__ import annotations

_MOST_KINDS = 512
_OTHER = "other"


class RateGate:
    """A token bucket for each kind: `burst` at once, then `per_second`; counts the suppressed ones.

    Kinds above a fixed number share one bucket, so that invented kinds exhaust neither memory nor disk.
    """

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._buckets: dict[str, _Bucket] = {}

    def admit(self, kind: str, now: float) -> int | None:
        """Return the number of `kind` suppressed since the last that passed, or None if this one is suppressed."""
        bucket = self._buckets.get(kind)
        if bucket is None:
            if len(self._buckets) >= _MOST_KINDS:
                kind = _OTHER
            bucket = self._buckets.setdefault(kind, _Bucket(self._burst, now))
        if not self._take(bucket, now):
            bucket.held_back += 1
            return None
        held_back, bucket.held_back = bucket.held_back, 0
        return held_back

    def settle(self, now: float) -> list[tuple[str, int]]:
        """Return the kinds that were suppressed and may pass again, with their numbers, which start again at 0."""
        settled = []
        for kind, bucket in self._buckets.items():
            if bucket.held_back and self._take(bucket, now):
                settled.append((kind, bucket.held_back))
                bucket.held_back = 0
        return settled

    def _take(self, bucket: _Bucket, now: float) -> bool:
        gained = max(0.0, now - bucket.filled) * self._per_second
        bucket.tokens = min(self._burst, bucket.tokens + gained)
        bucket.filled = now
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True


class _Bucket:
    __slots__ = ("filled", "held_back", "tokens")

    def __init__(self, tokens: float, filled: float) -> None:
        self.tokens = tokens
        self.filled = filled
        self.held_back = 0
