"""A pool of processes for the jobs of a plugin (`adc.plugin.job_process`)."""

from __future__ import annotations

import asyncio
import io
import os
import pickle
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from adc.plugin import job_process
from adc.plugin.job_process import DONE, LENGTH, OUT_OF_MEMORY, frame
from adc.plugin.processes import JobFailed, PoolFull, Processes, ProcessLimits

IDLE_SECONDS = 60.0
"""Time without a job after which a process is ended."""

MOST_JOBS = 200
"""Jobs of a process before it is replaced: its heap fragments within its address space."""

START_SECONDS = 30.0
"""Time that a process has to start and import the module of a job. It is not part of the job's own time, because a busy
machine may need much of it."""

_LARGEST_REPLY = 1 << 30
_SCRIPT = str(Path(job_process.__file__))
ResultT = TypeVar("ResultT")
Function = tuple[str, str, str]
"""A function as processes find it: its module, the module's file, its name."""


class _Plain(pickle.Unpickler):
    """Reads replies. The process that wrote them has decoded content of strangers, so no class may be named."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"a result is {module}.{name}; allowed: plain values")


class JobProcess:
    """One process and this end of its socket."""

    def __init__(self, limits: ProcessLimits) -> None:
        self.jobs = 0
        self.expires: asyncio.TimerHandle | None = None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._socket = ours
        arguments = map(str, (os.getpid(), limits.memory, limits.nice))
        with theirs:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-P", "-B", _SCRIPT, *arguments],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "MALLOC_ARENA_MAX": "1"},
            )
        self._started = False
        self._functions: set[Function] = set()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        """True if the process has ended by itself."""
        return self._process.poll() is not None

    async def start(self, function: Function) -> tuple[int, Any]:
        """Wait until it can call `function`; return the kind and the reason if it cannot. Raises JobFailed after
        START_SECONDS, EOFError or OSError if the process ends."""
        if function in self._functions:
            return DONE, None
        try:
            async with asyncio.timeout(START_SECONDS):
                if not self._started:
                    await self._ask(frame(sys.path))
                    self._started = True
                kind, result = await self._ask(frame((*function, None)))
        except TimeoutError:
            raise JobFailed(f"its process was not ready in {START_SECONDS:g} s", lost=True) from None
        if kind == DONE:
            self._functions.add(function)
        return kind, result

    async def call(self, job: bytes, seconds: float) -> tuple[int, Any]:
        """Return the kind and the result of a job. Raises TimeoutError if it takes more than `seconds`, EOFError or
        OSError if the process ends, and UnpicklingError."""
        self.jobs += 1
        async with asyncio.timeout(seconds):
            return await self._ask(job)

    async def _ask(self, question: bytes) -> tuple[int, Any]:
        await asyncio.get_running_loop().sock_sendall(self._socket, question)
        (size,) = LENGTH.unpack(await self._exactly(LENGTH.size))
        if size > _LARGEST_REPLY:
            raise EOFError
        kind, result = _Plain(io.BytesIO(await self._exactly(size))).load()
        return kind, result

    async def _exactly(self, size: int) -> bytearray:
        loop = asyncio.get_running_loop()
        data = bytearray(size)
        view, have = memoryview(data), 0
        while have < size:
            count = await loop.sock_recv_into(self._socket, view[have:])
            if count == 0:
                raise EOFError
            have += count
        return data

    async def end(self) -> None:
        """Kill the process, and reap it."""
        self._socket.close()
        if self.expires is not None:
            self.expires.cancel()
        if self._process.poll() is None:
            self._process.kill()
            await self._gone()
        self._process.wait()

    async def _gone(self) -> None:
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        descriptor = os.pidfd_open(self._process.pid)
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)


class ProcessPool(Processes):
    """Starts processes as jobs need them. Jobs wait in their order."""

    def __init__(self, limits: ProcessLimits) -> None:
        self._limits = limits
        self._idle: list[JobProcess] = []
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """The processes that have no job."""
        return [each.pid for each in self._idle]

    async def run(self, function: Callable[..., ResultT], *arguments: Any) -> ResultT:
        module = sys.modules[function.__module__]
        named = (module.__name__, module.__file__ or "", function.__name__)
        await self._turn()
        task = asyncio.get_running_loop().create_task(self._carry_out(named, arguments))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        result: ResultT = await asyncio.shield(task)
        return result

    async def close(self) -> None:
        self._closed = True
        for turn in self._waiting:
            turn.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        idle, self._idle = self._idle, []
        for process in idle:
            await process.end()

    async def _turn(self) -> None:
        """Return once a process may have the caller's job."""
        if self._closed:
            raise JobFailed("the plugin is closed")
        if self._busy < self._limits.workers:
            self._busy += 1
            return
        if len(self._waiting) >= self._limits.waiting:
            raise PoolFull(f"{self._limits.waiting} jobs are waiting already")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):
                    self._waiting.remove(turn)
            else:
                self._pass_turn()
            if self._closed:
                raise JobFailed("the plugin is closed") from None
            raise

    def _pass_turn(self) -> None:
        """Give the turn to the job that has waited longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._busy -= 1

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may have gone
        self._pass_turn()

    async def _carry_out(self, function: Function, arguments: tuple[Any, ...]) -> Any:
        written = frame(
            (*function, arguments)
        )  # not before its turn: many large jobs at once would hold the worker
        process = await self._process()
        keep = False
        try:
            kind, result = await process.start(function)
            if kind == DONE:
                kind, result = await process.call(written, self._limits.seconds)
            keep = kind != OUT_OF_MEMORY and process.jobs < MOST_JOBS
        except TimeoutError:
            raise JobFailed(f"it took more than {self._limits.seconds:g} s", overdue=True) from None
        except (EOFError, OSError):
            raise JobFailed("its process ended", lost=True) from None
        except (pickle.UnpicklingError, ValueError) as error:
            raise JobFailed(str(error)) from None
        finally:
            if keep:
                self._keep(process)
            else:
                await process.end()
        if kind != DONE:
            raise JobFailed(str(result), memory=kind == OUT_OF_MEMORY)
        return result

    async def _process(self) -> JobProcess:
        """Return an idle process, or a new one."""
        while self._idle:
            process = self._idle.pop()
            if process.expires is not None:
                process.expires.cancel()
            if not process.ended:
                return process
            await process.end()
        return JobProcess(self._limits)

    def _keep(self, process: JobProcess) -> None:
        self._idle.append(process)
        process.expires = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._expire, process)

    def _expire(self, process: JobProcess) -> None:
        self._idle.remove(process)
        task = asyncio.get_running_loop().create_task(process.end())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
