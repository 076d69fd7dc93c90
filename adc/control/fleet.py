"""The workers: started together, replaced when they die, asked as one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from adc.control.calls import CallFailed, CallRefused
from adc.control.sockets import SocketPlan
from adc.control.workers import WorkerHandle
from adc.telemetry.families import family_of
from adc.telemetry.samples import Sample, merge

if TYPE_CHECKING:
    from adc.config import Config

log = logging.getLogger(__name__)

STABLE_AFTER = 10.0
"""A worker that lived so many seconds is replaced without delay, whatever happened before."""

FIRST_DELAY = 0.1
LONGEST_DELAY = 10.0
PULSE = 5.0
"""Seconds between two looks at each worker's counters."""

RESIDENT = "adc_worker_resident_bytes"

MISSED_PULSES = 6
"""Unanswered looks in a row after which a worker counts as hung and is killed."""

Hire = Callable[[int], Awaitable[WorkerHandle]]
Greet = Callable[[WorkerHandle], Awaitable[None]]


class Fleet:
    """All workers of this supervisor.

    `hire(worker_id)` makes a worker, `greet(worker)` tells a new one what the others know already (health,
    operators' decisions). A replacement serves `current`, set by `start` and `commit`.
    """

    def __init__(self, hire: Hire, greet: Greet, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.workers: dict[int, WorkerHandle] = {}
        self.restarts = 0
        self.last_samples: dict[WorkerHandle, list[Sample]] = {}
        self.retired: list[Sample] = []
        self._hire = hire
        self._greet = greet
        self._clock = clock
        self._current: tuple[Config, SocketPlan] | None = None
        self._candidate: tuple[Config, SocketPlan] | None = None
        self._changing = asyncio.Lock()
        self._watchers: dict[int, asyncio.Task[None]] = {}
        self._pulse: asyncio.Task[None] | None = None
        self._deaths_in_a_row: dict[int, int] = {}
        self._leaving: set[WorkerHandle] = set()
        self._relieved: set[WorkerHandle] = set()
        self._dismissals: set[asyncio.Task[None]] = set()

    async def start(self, count: int, config: Config, plan: SocketPlan) -> None:
        """Start `count` workers. Raises CallRefused or CallFailed if any cannot serve; none is left then."""
        self._current = config, plan
        try:
            await _all(self._start_one(worker_id) for worker_id in range(count))
        except BaseException:
            await self.kill()
            raise
        for worker_id in self.workers:
            self._watch(worker_id)
        self._pulse = asyncio.create_task(self._keep_pulse())

    async def prepare(self, config: Config, plan: SocketPlan) -> None:
        """Let every worker build a candidate; raises what the first refusal says, with all rolled back."""
        await self._changing.acquire()
        self._candidate = config, plan
        workers = list(self.workers.values())
        try:
            await _all(worker.prepare(config, plan) for worker in workers)
        except BaseException:
            await self.rollback()
            raise

    async def commit(self) -> None:
        """Swap everywhere. A worker that fails now is replaced by one with the new configuration."""
        self._current, self._candidate = self._candidate, None
        try:
            await asyncio.gather(
                *(self._or_kill(worker, worker.commit()) for worker in self.workers.values())
            )
        finally:
            self._changing.release()

    async def rollback(self) -> None:
        """Drop the candidate everywhere."""
        self._candidate = None
        try:
            await asyncio.gather(
                *(self._or_kill(worker, worker.rollback()) for worker in self.workers.values())
            )
        finally:
            self._changing.release()

    async def resize(self, count: int, grace: float) -> None:
        """Start workers until there are `count`; those too many drain on their own."""
        async with self._changing:
            for worker_id in range(count):
                if worker_id not in self.workers:
                    await self._start_one(worker_id)
                    self._watch(worker_id)
            surplus = [worker for worker_id, worker in self.workers.items() if worker_id >= count]
        for worker in surplus:
            self._later(self._dismiss(worker, grace))

    async def drain(self, grace: float) -> None:
        """Finish what is in flight everywhere, then end all workers."""
        self._stop_watching()
        leaving = (self._dismiss(worker, grace) for worker in list(self.workers.values()))
        await asyncio.gather(*leaving, *self._dismissals)

    async def kill(self) -> None:
        """End all workers at once."""
        self._stop_watching()
        self._leaving.update(self.workers.values())
        await asyncio.gather(*(worker.kill() for worker in [*self.workers.values(), *self._relieved]))
        self.workers.clear()

    async def samples(self) -> list[list[Sample]]:
        """One list per worker, of those that answer, and the last ones of those that died."""
        await asyncio.gather(*(self._take_samples(worker) for worker in list(self.workers.values())))
        return [*self.last_samples.values(), self.retired]

    async def call_all(self, command: str, arguments: Mapping[str, object]) -> dict[int, Any]:
        """Run a named command in every worker: worker id -> answer, without those that failed.

        Raises CallRefused if a worker refuses, CallFailed if none answers.
        """
        workers = list(self.workers.values())
        answers = await asyncio.gather(
            *(worker.call(command, arguments) for worker in workers), return_exceptions=True
        )
        done: dict[int, Any] = {}
        for worker, answer in zip(workers, answers, strict=True):
            if isinstance(answer, CallFailed):
                log.warning("worker %d: %s failed: %s", worker.worker_id, command, answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                done[worker.worker_id] = answer
        if workers and not done:
            raise CallFailed(f"no worker answered {command!r}")
        return done

    async def call_one(self, command: str, arguments: Mapping[str, object]) -> Any:
        """Run a named command in any worker that answers. Raises CallRefused, CallFailed."""
        failure = CallFailed(f"no worker answered {command!r}")
        for worker in list(self.workers.values()):
            try:
                return await worker.call(command, arguments)
            except CallFailed as error:
                failure = error
        raise failure

    async def _start_one(self, worker_id: int) -> None:
        if self._current is None:
            raise CallFailed("there is no configuration to serve")
        try:
            worker = await self._hire(worker_id)
        except OSError as error:
            raise CallFailed(f"cannot start worker {worker_id}: {error}") from error
        before = self.workers.get(worker_id)
        try:
            await worker.start(*self._current)
            self.workers[worker_id] = worker  # before the greeting: news that comes meanwhile must reach it
            await self._greet(worker)
        except BaseException:
            if before is not None:
                self.workers[worker_id] = before
            else:
                self.workers.pop(worker_id, None)
            await worker.kill()
            raise

    def _watch(self, worker_id: int) -> None:
        self._watchers[worker_id] = asyncio.create_task(self._replace_when_dead(worker_id))

    async def _replace_when_dead(self, worker_id: int) -> None:
        while True:
            worker = self.workers[worker_id]
            born = self._clock()
            code = await worker.wait()
            if worker in self._leaving:
                return
            self._retire(worker)
            log.error("worker %d (process %d) %s; it is replaced", worker_id, worker.pid, _how(code))
            lived = self._clock() - born
            await self._revive(
                worker_id, 0 if lived >= STABLE_AFTER else self._deaths_in_a_row.get(worker_id, 0)
            )

    async def _revive(self, worker_id: int, deaths: int) -> None:
        while True:
            self._deaths_in_a_row[worker_id] = deaths + 1
            if deaths:
                await asyncio.sleep(min(FIRST_DELAY * 2 ** (deaths - 1), LONGEST_DELAY))
            try:
                async with self._changing:
                    await self._start_one(worker_id)
            except (CallFailed, CallRefused) as error:
                deaths += 1
                log.error("worker %d does not start: %s", worker_id, error)
            else:
                self.restarts += 1
                log.warning("worker %d serves again as process %d", worker_id, self.workers[worker_id].pid)
                return

    async def _dismiss(self, worker: WorkerHandle, grace: float) -> None:
        self._leaving.add(worker)
        try:
            self.last_samples[worker] = await worker.drain(grace)
        except (CallFailed, CallRefused) as error:
            log.warning("worker %d did not drain: %s", worker.worker_id, error)
        await worker.kill()
        self._retire(worker)

    async def _or_kill(self, worker: WorkerHandle, step: Awaitable[None]) -> None:
        try:
            await step
        except (CallFailed, CallRefused) as error:
            log.error("worker %d: %s; it is killed", worker.worker_id, error)
            await worker.kill()

    async def _keep_pulse(self) -> None:
        missed: dict[WorkerHandle, int] = {}
        while True:
            await asyncio.sleep(PULSE)
            for worker in list(self.workers.values()):
                if await self._take_samples(worker):
                    missed.pop(worker, None)
                    if self._too_large(worker):
                        self._later(self._relieve(worker))
                    continue
                missed[worker] = missed.get(worker, 0) + 1
                if missed[worker] >= MISSED_PULSES:
                    log.error("worker %d does not answer any more; it is killed", worker.worker_id)
                    missed.pop(worker)
                    await worker.kill()

    async def _take_samples(self, worker: WorkerHandle) -> bool:
        try:
            self.last_samples[worker] = await worker.samples()
        except (CallFailed, CallRefused):
            return False
        return True

    def _too_large(self, worker: WorkerHandle) -> bool:
        """Whether it takes more memory than it may."""
        taken = sum(each.value for each in self.last_samples[worker] if each.name == RESIDENT)
        if not taken or self._current is None or worker in self._leaving:
            return False
        return 0 < self._current[0].worker_memory < taken

    async def _relieve(self, worker: WorkerHandle) -> None:
        """Let another serve in its place, then let it finish what is in flight."""
        async with self._changing:
            if self._current is None or self.workers.get(worker.worker_id) is not worker:
                return
            self._leaving.add(worker)
            try:
                await self._start_one(worker.worker_id)
            except (CallFailed, CallRefused) as error:
                log.error("worker %d is over worker_memory, but no other starts: %s", worker.worker_id, error)
                self._leaving.discard(worker)
                return
            self._relieved.add(worker)
            self._watch(worker.worker_id)
            self.restarts += 1
            grace = self._current[0].shutdown.grace
        log.warning(
            "worker %d (process %d) was over worker_memory; process %d serves in its place",
            worker.worker_id,
            worker.pid,
            self.workers[worker.worker_id].pid,
        )
        await self._dismiss(worker, grace)
        self._relieved.discard(worker)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._dismissals.add(task)
        task.add_done_callback(self._dismissals.discard)

    def _retire(self, worker: WorkerHandle) -> None:
        if self.workers.get(worker.worker_id) is worker:
            del self.workers[worker.worker_id]
        samples = self.last_samples.pop(worker, [])
        counted = [sample for sample in samples if family_of(sample.name).type != "gauge"]
        self.retired = merge((self.retired, counted))

    def _stop_watching(self) -> None:
        for task in self._watchers.values():
            task.cancel()
        self._watchers.clear()
        if self._pulse is not None:
            self._pulse.cancel()


async def _all(steps: Iterable[Awaitable[None]]) -> None:
    """Wait for every step, then raise the first failure: nobody is left half-way unseen."""
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


def _how(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
