"""Requests that wait for a free member."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Waiter = TypeVar("Waiter", bound=Hashable)


def _any(waiter: object) -> bool:
    return True


class WaitQueue(Generic[Waiter]):
    """At most `limit` waiters with their expiry times, oldest first or (`newest_first`) newest first.

    Newest first serves the clients that surely still wait after a long burst. A waiter whose time is up leaves by
    `remove`; until then `pop` skips it. After `limit` was lowered, present waiters stay. `waiting` maps them to their
    expiry times in order of arrival; it is for a quick look only.
    """

    __slots__ = ("_newest_first", "expired", "limit", "refused", "waiting")

    def __init__(self, limit: int, *, newest_first: bool = False) -> None:
        self.limit = limit
        self.expired = 0
        self.refused = 0
        self._newest_first = newest_first
        self.waiting: OrderedDict[Waiter, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self.waiting)

    def push(self, waiter: Waiter, deadline: float) -> bool:
        """Queue `waiter` until `deadline`; False when the queue is full. A waiter can wait once only."""
        if len(self.waiting) >= self.limit:
            self.refused += 1
            return False
        self.waiting[waiter] = deadline
        return True

    def pop(self, now: float, ready: Callable[[Waiter], bool] = _any) -> Waiter | None:
        """Remove and return the next waiter, skipping expired ones and ones that are not `ready`; None if there is
        none."""
        order = reversed(self.waiting.items()) if self._newest_first else iter(self.waiting.items())
        for waiter, deadline in order:
            if deadline > now and ready(waiter):
                del self.waiting[waiter]
                return waiter
        return None

    def remove(self, waiter: Waiter, *, late: bool = False) -> bool:
        """Remove `waiter`, whose client is gone or (`late`) whose time is up; False if it does not wait."""
        found = self.waiting.pop(waiter, None) is not None
        self.expired += late and found
        return found
