"""Readiness of many raw sockets: one epoll object of a worker, which the loop sees as one descriptor."""

from __future__ import annotations

import asyncio
import select
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

IN: Final = 0x001
OUT: Final = 0x004
RDHUP: Final = 0x2000
EDGE: Final = 1 << 31
"""Events as the kernel numbers them (epoll_ctl(2)); a subscription with EDGE reports changes only."""

BATCH: Final = 256
"""Sockets that one system call reports."""

BUDGET: Final = 0.002
"""Seconds in one loop iteration after which the rest of a batch and further turns wait for the next one: the loop's own
connections come first."""


_monotonic: Final = time.monotonic


class Owner(Protocol):
    """What serves a socket."""

    def ready(self, events: int) -> None:
        """Handle `events` for which the socket is ready, or was when the batch began."""


class Reactor:
    """Calls the owners of sockets that are ready.

    An owner may be called once more after its socket was closed in the same batch. Hundreds of thousands of sockets
    cost the loop nothing while they are idle.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, batch: int = BATCH, budget: float = BUDGET
    ) -> None:
        self._loop = loop
        self._batch = batch
        self._budget = budget
        self._epoll: Any = select.epoll()
        self._owners: dict[int, Owner] = {}
        self._turns: deque[tuple[int, Owner, Callable[[], None]]] = deque()
        self._due = False
        self._reported: deque[tuple[int, Owner | None, int]] = deque()
        loop.add_reader(self._epoll.fileno(), self._poll)

    def add(self, fd: int, owner: Owner, events: int = IN) -> None:
        """Call `owner` when the socket `fd` is ready for `events`. Raises OSError."""
        self._epoll.register(fd, events)
        self._owners[fd] = owner

    def renew(self, fd: int, owner: Owner, events: int) -> None:
        """Report the present state of a socket that `owner` added with EDGE once more; no-op if it was closed, and its
        number is in use for another one."""
        if self._owners.get(fd) is owner:
            with suppress(OSError):
                self._epoll.modify(fd, events)

    def remove(self, fd: int) -> None:
        """Forget a socket that stays open; no-op if it is not known."""
        if self._owners.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def forget(self, fd: int, owner: Owner) -> None:
        """Forget a socket of `owner` that may be closed already, and its number in use for another one."""
        if self._owners.get(fd) is owner:
            del self._owners[fd]
            with suppress(OSError):
                self._epoll.unregister(fd)

    def closing(self, fd: int) -> None:
        """Forget a socket that its owner closes now: the kernel unregisters it, unless it has a copy."""
        self._owners.pop(fd, None)

    def again(self, fd: int, owner: Owner, turn: Callable[[], None]) -> None:
        """Call `turn` in a later loop iteration, unless `owner` has closed the socket by then: it has left bytes behind
        that the kernel will not report again."""
        self._turns.append((fd, owner, turn))
        self._call_soon()

    def close(self) -> None:
        """Stop; the sockets are their owners'. No-op the second time."""
        if self._epoll.closed:
            return
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._owners = {}
        self._turns.clear()
        self._reported.clear()

    def _poll(self) -> None:
        # Owners are looked up before the first call, and again before each: a socket that is opened during the batch
        # may have the number of one that was closed in it, and must not see its events.
        if not self._reported and not self._epoll.closed:
            get = self._owners.get
            self._reported.extend([(fd, get(fd), events) for fd, events in self._epoll.poll(0, self._batch)])
            self._call_reported()

    def _call_reported(self) -> None:
        """Call owners for what was reported, within the budget; edges are not reported again, so none may be lost."""
        reported, get = self._reported, self._owners.get
        end = _monotonic() + self._budget
        while reported:
            fd, owner, events = reported.popleft()
            if owner is None or get(fd) is not owner:
                continue
            try:
                owner.ready(events)
            except Exception as error:
                self._failed(owner, error)
            if _monotonic() >= end:
                break
        if reported:
            self._loop.call_soon(self._call_reported)

    def _call_soon(self) -> None:
        if not self._due:
            self._due = True
            self._loop.call_soon(self._call_turns)

    def _call_turns(self) -> None:
        self._due = False
        end = _monotonic() + self._budget
        for _ in range(len(self._turns)):
            fd, owner, turn = self._turns.popleft()
            if self._owners.get(fd) is owner:
                try:
                    turn()
                except Exception as error:
                    self._failed(owner, error)
                if _monotonic() >= end:
                    break
        if self._turns:
            self._call_soon()

    def _failed(self, owner: Owner, error: Exception) -> None:
        context = {"message": f"unhandled exception in {owner!r}", "exception": error}
        self._loop.call_exception_handler(context)
