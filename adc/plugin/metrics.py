"""Counters and gauges that a plugin declares; they are metrics with the labels `route` and `plugin`."""

from __future__ import annotations


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
        """Count `by` more, 0 or more. Raises ValueError."""
        if by < 0:
            raise ValueError(f"counter {self.name} cannot count {by}; use a gauge for what also falls")
        self._total[0] += by

    def adopt(self, before: Counter) -> None:
        """Count on together with the counter of the configuration before, whose last exchanges still count."""
        before._total[0] += self._total[0]
        self._total = before._total


class Gauge:
    """A number that rises and falls, of this worker; 0 until it is set."""

    __slots__ = ("help", "name", "value")

    def __init__(self, name: str, help: str) -> None:  # noqa: A002
        self.name = name
        self.help = help
        self.value = 0.0

    def set(self, value: float) -> None:
        """Replace the value."""
        self.value = value

    def add(self, by: float) -> None:
        """Add `by`, which may be negative."""
        self.value += by
