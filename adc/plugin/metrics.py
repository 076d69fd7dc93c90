"""Counters and gauges that a plugin declares; they are metrics with the labels `route` and `plugin`."""

from __future__ import annotations


class Counter:
    """A number that only grows, over reloads too."""

    __slots__ = ("help", "name", "value")

    def __init__(self, name: str, help: str) -> None:  # noqa: A002
        self.name = name
        self.help = help
        self.value = 0

    def add(self, by: int = 1) -> None:
        """Count `by` more, 0 or more. Raises ValueError."""
        if by < 0:
            raise ValueError(f"counter {self.name} cannot count {by}; use a gauge for what also falls")
        self.value += by


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
