"""Requests that wait for a free member."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Waiter = TypeVar("Waiter", bound=Hashable)


def _any(waiter: object) -> bool:
    return True


class WaitQueue(Generic[Waiter]):
    """At most `limit` waiters with the times at which they give up, oldest first or (`newest_first`) newest
    first.

    Newest first serves those who surely still wait when a burst has been too long. Who waits too long leaves
    by `remove`; until then `pop` passes over them. After `limit` was lowered, those already waiting stay.
    `waiting` maps them to their times in the order in which they came; it is for a quick look only.
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
        """Take out whose turn it is, passing over those whose time is up and those who are not `ready`; None
        if nobody is left.
        """
        order = reversed(self.waiting.items()) if self._newest_first else iter(self.waiting.items())
        for waiter, deadline in order:
            if deadline > now and ready(waiter):
                del self.waiting[waiter]
                return waiter
        return None

    def remove(self, waiter: Waiter, *, late: bool = False) -> bool:
        """Take out `waiter`, whose client is gone or (`late`) who has waited too long; False if it does not
        wait."""
        found = self.waiting.pop(waiter, None) is not None
        self.expired += late and found
        return found
