"""A coroutine of a plugin, as a task that its exchange can cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class PluginTask:
    """At most one task at a time; `then` gets its result, `failed` what it raised."""

    __slots__ = ("_task",)

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None

    @property
    def busy(self) -> bool:
        """True if one is running."""
        return self._task is not None

    def run(
        self,
        work: Coroutine[Any, Any, Any],
        then: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run `work`; exactly one of `then` and `failed` follows, unless `cancel` comes before."""
        task = self._task = asyncio.get_running_loop().create_task(work)

        def done(task: asyncio.Task[Any]) -> None:
            error = None if task.cancelled() else task.exception()
            if self._task is not task:
                return
            self._task = None
            if error is not None:
                failed(error)
            elif not task.cancelled():
                then(task.result())

        task.add_done_callback(done)

    def cancel(self) -> None:
        """Cancel the task; neither `then` nor `failed` follows."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
