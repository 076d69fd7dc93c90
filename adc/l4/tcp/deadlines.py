"""Deadlines of flows in order: finding the expired ones does not scan the others. No I/O."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Items that wait for a time each.

    Items with the same time become due in the order in which they were added, so there is one order for each time in
    use: two or three in a listener, and one more for a while after a reload changed one.
    """

    def __init__(self) -> None:
        self._orders: dict[float, dict[T, float]] = {}
        self._seconds: dict[T, float] = {}

    def __len__(self) -> int:
        return len(self._seconds)

    def __contains__(self, item: T) -> bool:
        return item in self._seconds

    def add(self, item: T, seconds: float, now: float) -> None:
        """Set the deadline of `item` to `seconds` after `now`, replacing an earlier one; `now` never decreases."""
        if item in self._seconds:
            self.remove(item)
        self._seconds[item] = seconds
        order = self._orders.get(seconds)
        if order is None:
            order = self._orders[seconds] = {}
        order[item] = now + seconds

    def remove(self, item: T) -> None:
        """Forget an item; no-op if it does not wait."""
        seconds = self._seconds.pop(item, None)
        if seconds is not None:
            order = self._orders[seconds]
            del order[item]
            if not order:
                del self._orders[seconds]

    def due(self, now: float) -> list[T]:
        """Return the items whose time has passed; they stay until they are removed."""
        found = []
        for order in self._orders.values():
            for item, deadline in order.items():
                if deadline > now:
                    break
                found.append(item)
        return found
