"""The workers: started together, replaced when they die, asked as one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from adc.control.calls import CallFailed, CallRefused, PeerGone
from adc.control.sockets import SocketPlan
from adc.control.watchdog import LOOK, Watchdog
from adc.control.workers import WorkerHandle
from adc.telemetry.event_log import EventLog
from adc.telemetry.families import family_of
from adc.telemetry.samples import Sample, merge

if TYPE_CHECKING:
    from adc.config import Config

log = EventLog(__name__)

STABLE_AFTER = 10.0
"""A worker that lived this many seconds is replaced without delay, whatever its predecessors did."""

FIRST_DELAY = 0.1
LONGEST_DELAY = 10.0
PULSE = 5.0
"""Seconds between two looks at each worker's counters."""

RESIDENT = "adc_worker_resident_bytes"

Hire = Callable[[int], Awaitable[WorkerHandle]]
Greet = Callable[[WorkerHandle], Awaitable[None]]


class Fleet:
    """All workers of this supervisor: the serving ones, by number, and the leaving ones, which only finish their work.

    `hire(worker_id)` makes a worker, `greet(worker)` sends a new one the state that the others have (health,
    operators' decisions). A replacement serves `current`, set by `start` and `commit`.
    """

    def __init__(self, hire: Hire, greet: Greet, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.workers: dict[int, WorkerHandle] = {}
        self.leaving: set[WorkerHandle] = set()
        self.wanted = 0
        self.restarts = 0
        self.last_samples: dict[WorkerHandle, list[Sample]] = {}
        self.retired: list[Sample] = []
        self._hire = hire
        self._greet = greet
        self._clock = clock
        self._current: tuple[Config, SocketPlan] | None = None
        self._candidate: tuple[Config, SocketPlan] | None = None
        self._prepared: list[WorkerHandle] = []
        self._changing = asyncio.Lock()
        self._watchers: dict[WorkerHandle, asyncio.Task[None]] = {}
        self._looking: list[asyncio.Task[None]] = []
        self._gone: set[WorkerHandle] = set()
        self._deaths_in_a_row: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._dismissals: set[asyncio.Task[None]] = set()
        self._watchdog: Watchdog[WorkerHandle] = Watchdog()
        self._pinged: set[WorkerHandle] = set()

    async def start(self, count: int, config: Config, plan: SocketPlan) -> None:
        """Start `count` workers, which accept when all are ready: the first would take every client that waits.

        Raises CallRefused or CallFailed if any cannot serve; none is left then.
        """
        self._current = config, plan
        self.wanted = count
        try:
            await _all(self._start_one(worker_id) for worker_id in range(count))
            await _all(worker.accept() for worker in self.workers.values())
        except BaseException:
            await self.kill()
            raise
        for worker in self.workers.values():
            self._watch(worker)
        self._looking = [asyncio.create_task(self._keep_pulse()), asyncio.create_task(self._keep_watch())]

    async def prepare(self, config: Config, plan: SocketPlan) -> None:
        """Let every worker that serves build a candidate; raises what the first refusal says, with all rolled back.

        A worker that dies meanwhile says nothing against the candidate: its replacement gets it. Workers that leave are
        not asked.
        """
        await self._changing.acquire()
        self._candidate = config, plan
        self._prepared = list(self.workers.values())
        try:
            died = await _living(worker.prepare(config, plan) for worker in self._prepared)
            self._prepared = [worker for worker, dead in zip(self._prepared, died, strict=True) if not dead]
            if not self._prepared:
                await self._try_out(config, plan)
        except BaseException:
            await self.rollback()
            raise

    async def commit(self) -> None:
        """Swap everywhere. A worker that fails now is replaced by one with the new configuration."""
        self._current, self._candidate = self._candidate, None
        try:
            await asyncio.gather(*(self._or_kill(worker, worker.commit()) for worker in self._prepared))
        finally:
            self._prepared = []
            self._changing.release()

    async def rollback(self) -> None:
        """Drop the candidate everywhere."""
        self._candidate = None
        try:
            await asyncio.gather(*(self._or_kill(worker, worker.rollback()) for worker in self._prepared))
        finally:
            self._prepared = []
            self._changing.release()

    async def _try_out(self, config: Config, plan: SocketPlan) -> None:
        """Let a worker that is made for it build the candidate: all others died. Raises CallRefused, CallFailed."""
        worker = await self._hire_for(0)
        try:
            await worker.start(config, plan)
        finally:
            await worker.kill()

    async def resize(self, count: int, grace: float) -> None:
        """Start workers until there are `count`; surplus ones drain in the background."""
        async with self._changing:
            self.wanted = count
            for worker_id in range(count):
                if worker_id not in self.workers and not self._is_revived(worker_id):
                    await self._replace(worker_id)
            for worker in [worker for worker_id, worker in self.workers.items() if worker_id >= count]:
                self._leave(worker, grace)

    async def drain(self, grace: float, last: bool) -> None:
        """Finish what is in flight everywhere, then end all workers. `last`: no other binary has the sockets."""
        self._stop_watching()
        for worker in list(self.workers.values()):
            self._leave(worker, grace, last)
        await asyncio.gather(*self._dismissals)

    async def kill(self) -> None:
        """End all workers at once."""
        self._stop_watching()
        self.leaving.update(self.workers.values())
        self.workers.clear()
        await asyncio.gather(*(worker.kill() for worker in list(self.leaving)))

    def unready(self) -> list[str]:
        """Say why not all workers serve; nothing if they do."""
        reasons = []
        if len(self.workers) < self.wanted:
            reasons.append(f"{len(self.workers)} of {self.wanted} workers serve")
        quiet = [worker for worker in self._watchdog.quiet() if worker not in self.leaving]
        return reasons + [f"worker {worker.worker_id} does not answer" for worker in quiet]

    async def samples(self) -> list[list[Sample]]:
        """Return one list per worker that responds, and the last one of each dead worker."""
        await asyncio.gather(*(self._take_samples(worker) for worker in self._everyone()))
        return [*self.last_samples.values(), self.retired]

    def _everyone(self) -> list[WorkerHandle]:
        return [*self.workers.values(), *self.leaving]

    async def _hire_for(self, worker_id: int) -> WorkerHandle:
        try:
            return await self._hire(worker_id)
        except OSError as error:
            raise CallFailed(f"cannot start worker {worker_id}: {error}") from error

    async def _start_one(self, worker_id: int) -> WorkerHandle:
        """Start a worker in the place `worker_id`; it does not accept yet. Raises CallRefused, CallFailed."""
        if self._current is None:
            raise CallFailed("there is no configuration to serve")
        worker = await self._hire_for(worker_id)
        before = self.workers.get(worker_id)
        try:
            await worker.start(*self._current)
            self.workers[worker_id] = worker  # before the greeting: news that comes meanwhile must reach it
            await self._greet(worker)
        except BaseException:
            self.workers.pop(worker_id, None)
            if before is not None and before not in self._gone:
                self.workers[worker_id] = before
            await worker.kill()
            raise
        return worker

    async def _replace(self, worker_id: int) -> None:
        """Let a new worker serve in the place `worker_id`. Raises CallRefused, CallFailed."""
        worker = await self._start_one(worker_id)
        try:
            await worker.accept()
        except (CallFailed, CallRefused):
            await worker.kill()
        self._watch(worker)

    def _watch(self, worker: WorkerHandle) -> None:
        self._watchers[worker] = asyncio.create_task(self._replace_when_dead(worker))

    def _is_revived(self, worker_id: int) -> bool:
        """True if a replacement for that worker is already on its way."""
        return any(worker.worker_id == worker_id for worker in self._watchers if worker not in self.leaving)

    async def _replace_when_dead(self, worker: WorkerHandle) -> None:
        born = self._clock()
        code = await worker.wait()
        self._gone.add(worker)
        if worker not in self.leaving:
            self._retire(worker)
            log.error("worker_died", worker=worker.worker_id, pid=worker.pid, detail=_how(code))
            lived = self._clock() - born
            deaths = 0 if lived >= STABLE_AFTER else self._deaths_in_a_row.get(worker.worker_id, 0)
            await self._revive(worker.worker_id, deaths)
        self._watchers.pop(worker, None)
        self._gone.discard(worker)

    async def _revive(self, worker_id: int, deaths: int) -> None:
        while True:
            self._deaths_in_a_row[worker_id] = deaths + 1
            if deaths:
                await asyncio.sleep(min(FIRST_DELAY * 2 ** (deaths - 1), LONGEST_DELAY))
            try:
                async with self._changing:
                    if worker_id in self.workers or worker_id >= self.wanted:
                        return
                    await self._replace(worker_id)
            except (CallFailed, CallRefused) as error:
                deaths += 1
                log.error("worker_start_failed", worker=worker_id, detail=str(error))
            else:
                self.restarts += 1
                log.warn("worker_replaced", worker=worker_id, pid=self.workers[worker_id].pid)
                return

    def _leave(self, worker: WorkerHandle, grace: float, last: bool = False) -> None:
        """Remove `worker` from the serving ones; it finishes its work within `grace` seconds."""
        if self.workers.get(worker.worker_id) is worker:
            del self.workers[worker.worker_id]
        self.leaving.add(worker)
        task = asyncio.create_task(self._dismiss(worker, grace, last))
        self._dismissals.add(task)
        task.add_done_callback(self._dismissals.discard)

    async def _dismiss(self, worker: WorkerHandle, grace: float, last: bool) -> None:
        try:
            self.last_samples[worker] = await worker.drain(grace, last)
        except (CallFailed, CallRefused) as error:
            log.warn("worker_drain_failed", worker=worker.worker_id, detail=str(error))
        await worker.kill()
        self._retire(worker)
        self.leaving.discard(worker)

    async def _or_kill(self, worker: WorkerHandle, step: Awaitable[None]) -> None:
        try:
            await step
        except (CallFailed, CallRefused) as error:
            log.error("worker_killed", worker=worker.worker_id, pid=worker.pid, reason=str(error))
            await worker.kill()

    async def _keep_pulse(self) -> None:
        while True:
            await asyncio.sleep(PULSE)
            for worker in self._everyone():
                if await self._take_samples(worker) and self._too_large(worker):
                    self._in_background(self._relieve(worker))

    async def _keep_watch(self) -> None:
        """Kill workers whose event loop does not turn."""
        looked_at = self._clock()
        while True:
            await asyncio.sleep(LOOK)
            now = self._clock()
            # A worker that compiles a configuration answers when it is done; `prepare` has a time limit.
            watched = [worker for worker in self._everyone() if worker not in self._prepared]
            for worker in set(watched) - self._pinged:
                self._pinged.add(worker)
                self._in_background(self._ping(worker))
            limit = 0.0 if self._current is None else self._current[0].worker_timeout
            for worker in self._watchdog.look(watched, now - looked_at, limit):
                log.error("worker_killed", worker=worker.worker_id, pid=worker.pid, reason="hangs")
                self._in_background(worker.kill())
            looked_at = now

    async def _ping(self, worker: WorkerHandle) -> None:
        try:
            await worker.ping()
        except (CallFailed, CallRefused):
            return  # a dead worker is replaced; one that is silent is counted as such
        finally:
            self._pinged.discard(worker)
        self._watchdog.answered(worker)

    async def _take_samples(self, worker: WorkerHandle) -> bool:
        try:
            self.last_samples[worker] = await worker.samples()
        except (CallFailed, CallRefused):
            return False
        return True

    def _too_large(self, worker: WorkerHandle) -> bool:
        """True if it takes more memory than it may."""
        resident = sum(each.value for each in self.last_samples[worker] if each.name == RESIDENT)
        if not resident or self._current is None or worker in self.leaving:
            return False
        return 0 < self._current[0].worker_memory < resident

    async def _relieve(self, worker: WorkerHandle) -> None:
        """Let another serve in its place, then let it finish what is in flight."""
        async with self._changing:
            if self._current is None or self.workers.get(worker.worker_id) is not worker:
                return
            try:
                await self._replace(worker.worker_id)
            except (CallFailed, CallRefused) as error:
                log.error("worker_start_failed", worker=worker.worker_id, detail=str(error))
                return
            self.restarts += 1
            self._leave(worker, self._current[0].shutdown.grace)
        log.warn(
            "worker_over_memory",
            worker=worker.worker_id,
            pid=worker.pid,
            successor=self.workers[worker.worker_id].pid,
        )

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _retire(self, worker: WorkerHandle) -> None:
        if self.workers.get(worker.worker_id) is worker:
            del self.workers[worker.worker_id]
        samples = self.last_samples.pop(worker, [])
        counted = [sample for sample in samples if family_of(sample.name).type != "gauge"]
        self.retired = merge((self.retired, counted))

    def _stop_watching(self) -> None:
        for task in (*self._watchers.values(), *self._looking):
            task.cancel()
        self._watchers.clear()
        self._looking.clear()


async def _all(steps: Iterable[Awaitable[object]]) -> None:
    """Wait for every step, then raise the first failure, so that no step is left unfinished."""
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _living(steps: Iterable[Awaitable[object]]) -> list[bool]:
    """Wait for every step, then raise the first failure, unless a worker died of it; return which of them did."""
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, PeerGone):
            raise outcome
    return [isinstance(outcome, PeerGone) for outcome in outcomes]


def _how(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
