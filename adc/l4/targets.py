"""The socket addresses of members: literal ones at once, names by look-ups that are renewed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from math import inf
from typing import Any

from adc.net.names import Names, is_address
from adc.net.socket_address import socket_address

_RETRY: float = 1.0
"""Seconds after a failed look-up until the next."""


class Target:
    """The addresses of one member, used in turn. `addresses` is empty until its name is known."""

    __slots__ = ("_fixed", "_next", "addresses", "family", "host", "path", "port", "resolved_at", "waiting")

    def __init__(self, host: str, port: int, path: str) -> None:
        self.host = host
        self.port = port
        self.path = path
        literal = path or is_address(host)
        self.addresses: tuple[str, ...] = (path or host,) if literal else ()
        self.resolved_at: float = inf if literal else -inf
        self.waiting: list[Callable[[], None]] = []
        self._next = 0
        self._fixed: tuple[int, Any] | None = None
        if literal and not path and "%" not in host:  # an interface may get another number
            self._fixed = self.address()

    def address(self, port: int = 0) -> tuple[int, Any]:
        """Return the family and the socket address to connect to next, with another port if `port` is given.

        Raises socket.gaierror if the name has no address.
        """
        if self._fixed is not None and not port:
            return self._fixed
        if self.path:
            return socket.AF_UNIX, self.path
        addresses = self.addresses
        if not addresses:
            raise socket.gaierror(f"{self.host} does not resolve")
        if len(addresses) > 1:
            self._next += 1
        host = addresses[self._next % len(addresses)]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            return family, socket_address(host, port or self.port)
        except OSError:  # its interface is gone: to connect will fail
            return family, (host.partition("%")[0], port or self.port)

    def in_turn(self) -> tuple[str, ...]:
        """Return all addresses, another one first than before."""
        self._next += 1
        first = self._next % max(1, len(self.addresses))
        return self.addresses[first:] + self.addresses[:first]

    @property
    def unknown(self) -> bool:
        """True if the name was never looked up with success."""
        return not self.addresses


class Targets:
    """The targets of a listener's members, by the members' addresses as written."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.names = Names(loop)
        self._targets: dict[str, Target] = {}
        self._intervals: dict[str, float] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}

    def follow(self, members: dict[str, tuple[str, int, str]], intervals: dict[str, float]) -> None:
        """Know these members: host, port and path by text; names are looked up again after their interval (seconds)."""
        known = self._targets
        self._targets = {text: known.get(text) or Target(*place) for text, place in members.items()}
        self._intervals = intervals
        self.refresh(self._loop.time())

    def find(self, text: str) -> Target | None:
        """Return the target of the member with this address; None for a member that was removed."""
        return self._targets.get(text)

    def refresh(self, now: float) -> None:
        """Look up the names whose addresses are too old."""
        for text, target in self._targets.items():
            if now - target.resolved_at >= self._intervals.get(text, inf):
                self._look_up(text, target)

    def wait(self, text: str, target: Target, then: Callable[[], None]) -> None:
        """Call `then` after a look-up of `target`, successful or not."""
        target.waiting.append(then)
        self._look_up(text, target)

    def _look_up(self, text: str, target: Target) -> None:
        if text not in self._looking:
            target.resolved_at = self._loop.time()
            task = self._looking[text] = self._loop.create_task(self._resolve(text, target))
            task.add_done_callback(lambda _: self._looking.pop(text, None))

    async def _resolve(self, text: str, target: Target) -> None:
        try:
            target.addresses = await self.names.addresses(target.host)
        except OSError:
            target.resolved_at = self._loop.time() - self._intervals.get(text, _RETRY) + _RETRY
        waiting, target.waiting = target.waiting, []
        for then in waiting:
            then()
