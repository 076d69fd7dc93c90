"""The addresses of a listener's members: literal ones at once, names by look-ups that are renewed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from adc.l4.target import Target
from adc.net.names import Names

_RETRY: float = 1.0
"""Seconds after a failed look-up until the next."""


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
