"""Readiness of many raw sockets: one epoll object of a worker, which the loop sees as one descriptor."""

from __future__ import annotations

import asyncio
import select
from typing import Final, Protocol

IN: Final = 0x001
OUT: Final = 0x004
RDHUP: Final = 0x2000
EDGE: Final = 1 << 31
"""Events as the kernel numbers them (epoll_ctl(2)); a subscription with EDGE reports changes only."""

BATCH: Final = 256
"""Sockets served in one loop iteration; the loop's own connections have their turn then."""


class Owner(Protocol):
    """What serves a socket."""

    def ready(self, events: int) -> None:
        """Called when the socket is ready for `events`, or was when the batch began."""


class Reactor:
    """Calls the owners of sockets that are ready.

    An owner may be called once more after its socket was closed in the same batch. Hundreds of thousands of sockets
    cost the loop nothing while they are idle.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._owners: dict[int, Owner] = {}
        self._again: list[tuple[int, Owner, int]] = []
        loop.add_reader(self._epoll.fileno(), self._poll)

    def add(self, fd: int, owner: Owner, events: int = IN) -> None:
        """Call `owner` when the socket `fd` is ready for `events`. Raises OSError."""
        self._epoll.register(fd, events)
        self._owners[fd] = owner

    def remove(self, fd: int) -> None:
        """Forget a socket that stays open; no-op if it is not known."""
        if self._owners.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def closing(self, fd: int) -> None:
        """Forget a socket that its owner closes now: the kernel unregisters it, unless it has a copy."""
        self._owners.pop(fd, None)

    def again(self, fd: int, owner: Owner, events: int) -> None:
        """Call `owner` in the next loop iteration: it has left bytes behind that the kernel will not report again."""
        if not self._again:
            self._loop.call_soon(self._call_again)
        self._again.append((fd, owner, events))

    def close(self) -> None:
        """Stop; the sockets are their owners'. No-op the second time."""
        if self._epoll.closed:
            return
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._owners = {}

    def _poll(self) -> None:
        # Owners are looked up before the first call: a socket that is opened during the batch may have the number of
        # one that was closed in it, and must not see its events.
        get = self._owners.get
        for owner, events in [(get(fd), events) for fd, events in self._epoll.poll(0, BATCH)]:
            if owner is not None:
                self._call(owner, events)

    def _call_again(self) -> None:
        waiting, self._again = self._again, []
        for fd, owner, events in waiting:
            if self._owners.get(fd) is owner:
                self._call(owner, events)

    def _call(self, owner: Owner, events: int) -> None:
        try:
            owner.ready(events)
        except Exception as error:  # an edge of another socket would be lost with the rest of the batch
            context = {"message": f"unhandled exception in {owner!r}", "exception": error}
            self._loop.call_exception_handler(context)
