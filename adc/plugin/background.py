"""Work of a plugin beside its exchanges, which ends with the plugin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from adc.plugin.failures import being_cancelled, failure_of
from adc.plugin.watch import Overrun, watched

MOST_TASKS = 100


class Background:
    """Tasks of one use of a plugin. `failed` is called with the reason and detail of each that fails."""

    def __init__(self, budget: float, failed: Callable[[str, str], None]) -> None:
        self._budget = budget
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The tasks that run."""
        return frozenset(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        """Run `work` as a task. Raises RuntimeError after the end, or if MOST_TASKS run already."""
        if self._ended or len(self._tasks) >= MOST_TASKS:
            work.close()
            raise RuntimeError(
                "the plugin is closed: it runs no more tasks"
                if self._ended
                else f"{MOST_TASKS} tasks of this plugin run already, the most that are allowed"
            )
        task = asyncio.get_running_loop().create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(partial(self._over, work))
        return task

    async def end(self, limit: float) -> int:
        """Cancel all tasks and wait up to `limit` seconds for their end; return the number of unfinished ones."""
        self._ended = True
        tasks = self.tasks
        for task in tasks:
            task.cancel()
        if not tasks:
            return 0
        _, pending = await asyncio.wait(tasks, timeout=limit)
        return len(pending)

    def _over(self, work: Coroutine[Any, Any, object], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        work.close()  # not begun yet, if the task was cancelled at once

    async def _run(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await watched(work, self._budget)
            return
        except asyncio.CancelledError as error:
            if being_cancelled():
                raise
            reason, detail = failure_of(error, self._budget)
        except (Exception, SystemExit, Overrun) as error:
            reason, detail = failure_of(error, self._budget)
        self._failed(reason, detail)
