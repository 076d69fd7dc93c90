"""A worker as the supervisor sees it: a child process, or the same `Worker` in this process."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from adc.control.calls import CallEndpoint, CallFailed, CallRefused
from adc.control.collector import spare_started
from adc.control.processes import WorkerProcess
from adc.control.sample_parts import unpacked
from adc.control.serving import ServingSockets
from adc.control.sockets import SocketPlan

if TYPE_CHECKING:
    from adc.config import Config
    from adc.runtime.operations.operation import Operation, Reply, Request
    from adc.telemetry.samples import Sample

START_TIMEOUT = 30.0
PREPARE_TIMEOUT = 30.0
ANSWER_TIMEOUT = 5.0
PING_TIMEOUT = 7200.0
"""Timeout of a ping; the caller decides how long a worker may be silent."""

DRAIN_SLACK = 5.0
"""Seconds that a worker may take beyond the grace it was given."""

Answers = Callable[[str, Any], Awaitable[object]]
"""Answers a question of a worker, given its verb and body. May raise CallRefused."""


class WorkerHandle(Protocol):
    """A worker as the fleet calls it. Every method may raise CallFailed, those with a note CallRefused."""

    worker_id: int
    pid: int

    async def start(self, config: Config, plan: SocketPlan) -> None:
        """Build all that serves; nothing is accepted yet. Raises CallRefused."""

    async def accept(self) -> None:
        """Accept on the sockets of the plan."""

    async def ping(self) -> None:
        """Return when the worker's event loop has come round."""

    async def prepare(self, config: Config, plan: SocketPlan) -> None:
        """Build a candidate beside what serves. Raises CallRefused."""

    async def commit(self) -> None:
        """Serve with the candidate."""

    async def rollback(self) -> None:
        """Drop the candidate."""

    async def drain(self, grace: float, last: bool) -> list[Sample]:
        """Close listeners, finish what is in flight within `grace` seconds; returns the last counters. `last`: no other
        process reads the sockets from now on."""

    async def samples(self) -> list[Sample]:
        """Return the counters of this worker."""

    async def call(self, operation: Operation[Request, Reply], request: Request) -> Reply:
        """Run an operation. Raises CallRefused."""

    async def wait(self) -> int:
        """Return the exit code once the worker has gone."""

    async def kill(self) -> None:
        """End it now."""

    def listen(self, answers: Answers) -> None:
        """Have `answers` answer what the worker asks."""


class ChildWorker:
    """A worker process of this supervisor, called over a socket pair."""

    def __init__(self, process: WorkerProcess) -> None:
        self.worker_id = process.worker_id
        self.pid = process.pid
        self._process = process
        self._peer = CallEndpoint(process.sock, self._asked)
        self._answers: Answers | None = None
        self._sent: set[str] = set()
        self._prepared: set[str] = set()

    async def start(self, config: Config, plan: SocketPlan) -> None:
        mine = plan.of_worker(self.worker_id)
        await self._hand_over("start", config, mine, START_TIMEOUT)
        self._sent = set(mine.sockets)

    async def accept(self) -> None:
        await self._peer.ask("accept", timeout=ANSWER_TIMEOUT)

    async def ping(self) -> None:
        await self._peer.ask("ping", timeout=PING_TIMEOUT)

    async def prepare(self, config: Config, plan: SocketPlan) -> None:
        mine = plan.of_worker(self.worker_id)
        self._prepared = set(mine.sockets)
        await self._hand_over("prepare", config, mine, PREPARE_TIMEOUT)

    async def commit(self) -> None:
        await self._peer.ask("commit", timeout=PREPARE_TIMEOUT)
        self._sent = self._prepared

    async def rollback(self) -> None:
        await self._peer.ask("rollback", timeout=ANSWER_TIMEOUT)

    async def drain(self, grace: float, last: bool) -> list[Sample]:
        samples: list[Sample] = await self._peer.ask("drain", (grace, last), timeout=grace + DRAIN_SLACK)
        return samples

    async def samples(self) -> list[Sample]:
        return unpacked(await self._peer.ask("samples", timeout=ANSWER_TIMEOUT))

    async def call(self, operation: Operation[Request, Reply], request: Request) -> Reply:
        reply: Reply = await self._peer.ask("call", (operation.name, request), timeout=operation.timeout)
        return reply

    async def wait(self) -> int:
        code = await self._process.wait()
        self._peer.close()
        return code

    async def kill(self) -> None:
        self._process.kill()
        await self.wait()

    def listen(self, answers: Answers) -> None:
        self._answers = answers

    async def _asked(self, verb: str, body: Any, sockets: list[socket.socket]) -> object:
        if self._answers is None:
            raise CallRefused("nobody answers yet")
        return await self._answers(verb, body)

    async def _hand_over(self, verb: str, config: Config, plan: SocketPlan, timeout: float) -> None:
        new = [key for key in plan.sockets if key not in self._sent]
        body = (config, dict(plan.listeners), new)
        await self._peer.ask(verb, body, sockets=[plan.sockets[key] for key in new], timeout=timeout)


class LocalWorker:
    """The worker of `--workers 0`: the same object, called in the supervisor's own process."""

    def __init__(self, serving: ServingSockets) -> None:
        self.worker_id = 0
        self.pid = os.getpid()
        self._serving = serving
        self._known: set[str] = set()
        self._gone = asyncio.Event()

    async def start(self, config: Config, plan: SocketPlan) -> None:
        await self._serving.start(config, plan.listeners, self._copies(plan))
        self._known = set(plan.sockets)
        spare_started()

    async def accept(self) -> None:
        self._serving.accept()

    async def ping(self) -> None:
        """Return at once: the worker shares this process's event loop."""

    async def prepare(self, config: Config, plan: SocketPlan) -> None:
        await self._serving.prepare(config, plan.listeners, self._copies(plan))

    async def commit(self) -> None:
        self._serving.commit()
        self._known = self._serving.keys

    async def rollback(self) -> None:
        self._serving.rollback()

    async def drain(self, grace: float, last: bool) -> list[Sample]:
        return await self._serving.drain(grace, last)

    async def samples(self) -> list[Sample]:
        return self._serving.worker.samples()

    async def call(self, operation: Operation[Request, Reply], request: Request) -> Reply:
        try:
            reply: Reply = await self._serving.call(operation.name, request)
            return reply
        except CallRefused:
            raise
        except Exception as error:
            raise CallFailed(f"{type(error).__name__}: {error}") from error

    async def wait(self) -> int:
        await self._gone.wait()
        return 0

    async def kill(self) -> None:
        self._serving.close()
        self._gone.set()

    def listen(self, answers: Answers) -> None:
        """No-op: this worker has no others to call."""

    def _copies(self, plan: SocketPlan) -> dict[str, socket.socket]:
        return {key: sock.dup() for key, sock in plan.sockets.items() if key not in self._known}
