"""The processes of a plugin under test: its jobs run in the process of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from adc.plugin.processes import JobFailed, PoolFull, Processes

ResultT = TypeVar("ResultT")


class FakeProcesses(Processes):
    """Runs each job at once. `jobs` are the names of the functions that ran; while `full` is True there is no room for
    another, and with `failure` every job fails so.
    """

    def __init__(self) -> None:
        self.jobs: list[str] = []
        self.full = False
        self.failure: JobFailed | None = None

    async def run(self, function: Callable[..., ResultT], *arguments: Any) -> ResultT:
        await asyncio.sleep(0)
        if self.full:
            raise PoolFull("the test says so")
        if self.failure is not None:
            raise self.failure
        self.jobs.append(function.__name__)
        try:
            return function(*arguments)
        except Exception as error:
            raise JobFailed(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """No-op: there is no process."""
