"""The words for a failure of plugin code in logs and metrics."""

from __future__ import annotations

import asyncio
import traceback

from adc.plugin.watch import Overrun


def failure_of(error: BaseException, budget: float) -> tuple[str, str]:
    """Return the reason, `overrun` or `error`, and the detail of a failed call."""
    if isinstance(error, Overrun):
        return "overrun", f"held the worker for more than its budget of {budget:g} s"
    return "error", _with_place(error)


def being_cancelled() -> bool:
    """True if the running task was cancelled. A frame that held the task would be held by its exception: a cycle."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _with_place(error: BaseException) -> str:
    """Return the error and the line that raised it, on one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
