"""A request that waits for another request's fetch of the same key."""

from __future__ import annotations

from abc import abstractmethod

from adc.cache.collapse import Role
from adc.proxy.caching.local_response import LocalResponse


class Parked(LocalResponse):
    """An exchange that waits."""

    __slots__ = ()

    @abstractmethod
    def wake(self, role: Role) -> None:
        """Go on as `role` (FOLLOW: look in the store again), not before the caller is done."""
