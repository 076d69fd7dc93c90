"""A histogram with fixed buckets of plain integers (seconds)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from adc.telemetry.samples import Sample

DURATION_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds, in seconds, of the buckets of a duration; one more bucket counts values above the last."""


class Histogram:
    """Counts observations by bucket; a value equal to a bound belongs to that bound's bucket. Most durations belong to
    the first one, which `_first` counts."""

    __slots__ = ("_counts", "_first", "_least", "bounds", "total")

    def __init__(self, bounds: Sequence[float] = DURATION_BOUNDS) -> None:
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0
        self._least = self.bounds[0]
        self._first = 0

    @property
    def counts(self) -> list[int]:
        """The observations of each bucket, in order; the last one has those above all bounds."""
        return [self._first, *self._counts[1:]]

    def observe(self, seconds: float) -> None:
        """Count one observation."""
        self.total += seconds
        if seconds <= self._least:
            self._first += 1
            return
        index = 0
        for bound in self.bounds:  # compiled, a third of bisect_left
            if seconds <= bound:
                break
            index += 1
        self._counts[index] += 1

    def samples(self, family: str, labels: tuple[str, ...]) -> list[Sample]:
        """Return the cumulative buckets (`le` is the last label), the sum and the count as samples of `family`."""
        found, below = [], 0
        for bound, count in zip((*self.bounds, math.inf), self.counts, strict=True):
            below += count
            found.append(Sample(f"{family}_bucket", (*labels, bound_text(bound)), below))
        found.append(Sample(f"{family}_sum", labels, self.total))
        found.append(Sample(f"{family}_count", labels, below))
        return found


def bound_text(bound: float) -> str:
    """Return the value of the label `le`: `0.005`, `1.0`, `+Inf`."""
    return "+Inf" if math.isinf(bound) else repr(bound)
