"""Requests that wait for a free member."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Waiter = TypeVar("Waiter", bound=Hashable)


class WaitQueue(Generic[Waiter]):
    """At most `limit` waiters with the times at which they give up, oldest first or (`newest_first`) newest
    first.

    Newest first serves those who surely still wait when a burst has been too long. Every call is O(1). Expiry
    goes by arrival: as all waiters of a pool wait equally long, who came first gives up first. After `limit`
    was lowered, those already waiting stay.
    """

    __slots__ = ("_newest_first", "_waiting", "expired", "limit", "refused")

    def __init__(self, limit: int, *, newest_first: bool = False) -> None:
        self.limit = limit
        self.expired = 0
        self.refused = 0
        self._newest_first = newest_first
        self._waiting: OrderedDict[Waiter, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def push(self, waiter: Waiter, deadline: float) -> bool:
        """Queue `waiter` until `deadline`; False when the queue is full. A waiter can wait once only."""
        if len(self._waiting) >= self.limit:
            self.refused += 1
            return False
        self._waiting[waiter] = deadline
        return True

    def pop(self, now: float) -> Waiter | None:
        """Take out whose turn it is, passing over those whose time is up; None if nobody waits."""
        order = reversed(self._waiting.items()) if self._newest_first else iter(self._waiting.items())
        for waiter, deadline in order:
            if deadline > now:
                del self._waiting[waiter]
                return waiter
            if self._newest_first:
                return None
        return None

    def expire(self, now: float) -> list[Waiter]:
        """Take out those whose time is up."""
        late = []
        while self._waiting:
            waiter, deadline = next(iter(self._waiting.items()))
            if deadline > now:
                break
            del self._waiting[waiter]
            late.append(waiter)
        self.expired += len(late)
        return late

    def remove(self, waiter: Waiter) -> bool:
        """Take out `waiter`, whose client is gone; False if it does not wait."""
        return self._waiting.pop(waiter, None) is not None
