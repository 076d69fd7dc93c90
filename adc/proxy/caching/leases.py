"""The leases of a store: one fetch per key on a machine, however many workers are asked."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Final

import lmdb

from adc.cache.lease import Busy, Lease, LeaseTable

if TYPE_CHECKING:
    import asyncio

LEASE_SECONDS: Final = 20.0
"""Time for which other workers wait for a fetch; renewed while content arrives."""

POLL: Final = 0.005
"""Seconds between two looks at the counter of released leases."""


class LeaseWaiter:
    """A fetch that waits for the lease that another worker holds."""

    __slots__ = ()

    @abstractmethod
    def may_be_free(self) -> None:
        """Look again: the other worker has released some lease, or took too long."""


class Leases:
    """The leases of a store, and this worker's fetches that wait for one that another worker has.

    A broken index costs the collapsing between workers and nothing else.
    """

    def __init__(self, table: LeaseTable, loop: asyncio.AbstractEventLoop) -> None:
        self._table = table
        self._loop = loop
        self._waiting: dict[LeaseWaiter, float] = {}
        self._seen = 0

    def acquire(self, key: bytes) -> Lease | Busy | None:
        """Acquire the lease of `key`, or return its owner; None to continue without one."""
        try:
            if not self._waiting:  # before the look, so that no release between the two is missed
                self._seen = self._table.changes()
            return self._table.acquire(key, time.monotonic(), LEASE_SECONDS)
        except (lmdb.Error, ValueError):
            return None

    def renew(self, lease: Lease) -> None:
        """Extend `lease`."""
        try:
            self._table.renew(lease, time.monotonic(), LEASE_SECONDS)
        except (lmdb.Error, ValueError):
            return

    def release(self, lease: Lease, pass_until: float | None = None) -> None:
        """Release `lease`; `pass_until` as in LeaseTable."""
        try:
            self._table.release(lease, pass_until)
        except (lmdb.Error, ValueError):
            return

    def wait(self, waiter: LeaseWaiter, busy: Busy) -> None:
        """Call `waiter.may_be_free` when the lease may be free."""
        if not self._waiting:
            self._loop.call_later(POLL, self._poll)
        self._waiting[waiter] = busy.until

    def forget(self, waiter: LeaseWaiter) -> None:
        """Remove `waiter`."""
        self._waiting.pop(waiter, None)

    def _poll(self) -> None:
        now = time.monotonic()
        try:
            changes = self._table.changes()
        except ValueError:  # the store was closed
            changes = -1
        due = [waiter for waiter, until in self._waiting.items() if changes != self._seen or until <= now]
        self._seen = changes
        for waiter in due:
            self._waiting.pop(waiter, None)
        for waiter in due:
            waiter.may_be_free()
        if self._waiting:
            self._loop.call_later(POLL, self._poll)
