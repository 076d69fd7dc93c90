"""Counters and gauges that a plugin declares; they are metrics with the labels `route` and `plugin`."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST_KEY = 64
OTHER = "other"
_MOST = 1 << 53
"""The largest step of a counter: metrics are floats, and a sum that is none would fail all of them."""


class Counter:
    """A number that only grows, over reloads too."""

    __slots__ = ("_total", "help", "name")

    def __init__(self, name: str, help: str) -> None:  # noqa: A002
        self.name = name
        self.help = help
        self._total = [0]

    @property
    def value(self) -> int:
        """The number."""
        return self._total[0]

    def add(self, by: int = 1) -> None:
        """Count `by` more, an integer from 0 to 2^53. Raises ValueError."""
        if not isinstance(by, int) or not 0 <= by <= _MOST:
            raise ValueError(
                f"counter {self.name} cannot count {by!s:.40}; allowed: integers from 0 to 2^53; "
                "use a gauge for what also falls"
            )
        self._total[0] += by

    def adopt(self, before: Counter) -> None:
        """Count on together with the counter of the configuration before, whose last exchanges still count."""
        before._total[0] += self._total[0]
        self._total = before._total


class KeyedCounter:
    """Counters by key, which only grow, over reloads too. Keys above `most` are counted together as `other`."""

    __slots__ = ("_counts", "_most", "help", "name")

    def __init__(self, name: str, help: str, most: int) -> None:  # noqa: A002
        self.name = name
        self.help = help
        self._most = most
        self._counts: dict[str, int] = {}

    @property
    def values(self) -> Mapping[str, int]:
        """The numbers by key."""
        return self._counts

    def add(self, key: str, by: int = 1) -> None:
        """Count `by` more for `key`, an integer from 0 to 2^53. Raises ValueError."""
        if not isinstance(by, int) or not 0 <= by <= _MOST:
            raise ValueError(f"counter {self.name} cannot count {by!s:.40}; allowed: integers from 0 to 2^53")
        counts, key = self._counts, key[:LONGEST_KEY]
        if key not in counts and len(counts) >= self._most:
            key = OTHER
        counts[key] = counts.get(key, 0) + by

    def adopt(self, before: KeyedCounter) -> None:
        """Count on together with the counter of the configuration before, whose last exchanges still count."""
        counts, before._most = self._counts, self._most
        self._counts = before._counts
        for key, number in counts.items():
            self.add(key, number)


class Gauge:
    """A number that rises and falls, of this worker; 0 until it is set."""

    __slots__ = ("_value", "help", "name")

    def __init__(self, name: str, help: str) -> None:  # noqa: A002
        self.name = name
        self.help = help
        self._value = 0.0

    @property
    def value(self) -> float:
        """The number."""
        return self._value

    def set(self, value: float) -> None:
        """Replace the value. Raises ValueError if it is no number that a float can be."""
        self._value = self._checked(value)

    def add(self, by: float) -> None:
        """Add `by`, which may be negative. Raises ValueError like `set`."""
        self._value += self._checked(by)

    def _checked(self, number: float) -> float:
        try:
            return float(number)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"gauge {self.name} takes numbers: {error}") from None
