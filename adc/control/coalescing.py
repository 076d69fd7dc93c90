"""Work that many ask for at once is done once for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Coalescing(Generic[Result]):
    """Runs `work` once at a time. All callers during a run share one further run, which begins after the last call.

    So no call is lost that came after the running work had read its input, and a storm of calls costs two runs.
    """

    def __init__(self, work: Callable[[], Awaitable[Result]]) -> None:
        self._work = work
        self._running = asyncio.Lock()
        self._next: asyncio.Task[Result] | None = None

    async def __call__(self) -> Result:
        """Return the result of the next run of the work. The run continues if the caller is cancelled."""
        if self._next is None:
            self._next = asyncio.create_task(self._run())
        return await asyncio.shield(self._next)

    async def _run(self) -> Result:
        async with self._running:
            self._next = None
            return await self._work()
