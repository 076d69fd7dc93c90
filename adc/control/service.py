"""The running service: the configuration in use, the sockets, the workers; started once, reloaded many times."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from adc.admin.node import ReloadResult
from adc.config import ConfigErrors
from adc.control import activation, error_log
from adc.control.acme import AcmeCertificates
from adc.control.activation import Inherited
from adc.control.calls import CallFailed, CallRefused
from adc.control.decisions import Decisions
from adc.control.fleet import Fleet, Hire
from adc.control.fleet_node import FleetNode
from adc.control.handover import Handover
from adc.control.health import HealthChecks
from adc.control.kernel_services import kernel_listeners
from adc.control.kernel_table import KernelTable
from adc.control.kernel_transaction import needs_kernel
from adc.control.privileges import identity_of, provide
from adc.control.settings import ADMIN, AdminTls, admin_tls, layout_of, worker_count
from adc.control.sockets import BindError, ListeningSockets, SocketPlan
from adc.control.workers import WorkerHandle
from adc.runtime.errors import BuildError
from adc.runtime.operations import acme, health, logs
from adc.runtime.operations.operation import NOTHING, Operation, Refused, Reply, Request, Unavailable
from adc.runtime.operations.registry import operation_named
from adc.telemetry.event_log import EventLog, trace_of

if TYPE_CHECKING:
    from adc.config import Config, Loaded

log = EventLog(__name__)

Load = Callable[[Path], "Loaded"]


class Service:
    """One configuration at a time, served by all workers. `workers` overrides the configuration's number."""

    def __init__(self, path: Path, load: Load, hire: Hire, workers: int | None = None) -> None:
        self.path = path
        self.started_at = time.time()
        self.last_reload: ReloadResult | None = None
        self.reloads: Counter[str] = Counter()
        self.sockets = ListeningSockets()
        self.decisions = Decisions()
        self.fleet = Fleet(self._hire_one, self._greet)
        self.kernel = KernelTable(self._standing)
        self._node = FleetNode(self.fleet, self._decide, self._shares_state, self.kernel.reply)
        self._hire = hire
        self.health = HealthChecks(self._tell_health, rng=SystemRandom())
        self.acme = AcmeCertificates(self._tell_challenges)
        self._load = load
        self._workers = workers
        self._loaded: Loaded | None = None
        self.loaded_at = 0.0
        self.config_hash = ""
        self._reloading = asyncio.Lock()
        self.admin_tls: AdminTls | None = None

    @property
    def config(self) -> Config:
        """The configuration that serves. Only after `start`."""
        if self._loaded is None:
            raise RuntimeError("the service has not started")
        return self._loaded.config

    @property
    def handover(self) -> Handover:
        """The state that the next binary starts with."""
        return Handover(self.decisions.all(), tuple(self.health.reports()))

    async def start(self, loaded: Loaded, inherited: Inherited) -> None:
        """Bind and start the workers. Raises BindError, CallRefused, CallFailed with nothing left behind."""
        self.decisions.take_over(inherited.handover.decisions)
        self.health.take_over(inherited.handover.health, loaded.config)
        self.admin_tls = admin_tls(loaded.config)
        self._provide(loaded.config)
        count = worker_count(loaded.config, self._workers)
        layout = layout_of(loaded.config, count)
        self.sockets = ListeningSockets(activation.claim(inherited, layout))
        plan = self.sockets.prepare(layout)
        try:
            await self.fleet.start(
                max(1, count), _counted(loaded.config, count), _for_workers(plan, count, loaded.config)
            )
        except BaseException:
            self.sockets.rollback()
            raise
        self.sockets.commit()
        self._adopt(loaded)
        await self.kernel.apply(loaded.config, taking_over=inherited.upgrading)
        self._follow_kernel()
        for key in self.sockets.drop_inherited():
            log.warn("inherited_socket_closed", address=key, reason="no listener has that address")

    async def reload(self) -> ReloadResult:
        """Load, check, prepare everywhere, swap everywhere; on any failure all stays as it was."""
        async with self._reloading:
            try:
                messages = await self._swap()
            except ConfigErrors as errors:
                result = ReloadResult(False, tuple(map(str, errors.problems)), time.time())
            except (BindError, CallRefused) as error:
                result = ReloadResult(False, await self._reasons(str(error)), time.time())
            except CallFailed as error:
                result = ReloadResult(False, (str(error),), time.time())
            except Exception as error:
                log.error("reload_crashed", error=repr(error), trace=trace_of(error))
                result = ReloadResult(False, (f"{type(error).__name__}: {error}",), time.time())
            else:
                result = ReloadResult(True, messages, time.time())
            self.last_reload = result
            self.reloads["ok" if result.ok else "failed"] += 1
        _log_reload(result)
        return result

    async def _reasons(self, known: str) -> tuple[str, ...]:
        """Return the reason of a failed reload, then all else that is wrong with the configuration, with its place."""
        from adc.control.preflight import reasons  # needed only after a failure

        found = await reasons(self.path)
        return (known, *(reason for reason in found if known not in reason))

    async def _swap(self) -> tuple[str, ...]:
        loaded = await asyncio.to_thread(self._load, self.path)
        count = worker_count(loaded.config, self._workers)
        if (count == 0) != (worker_count(self.config, self._workers) == 0):
            raise CallRefused("workers: 0 (no worker processes) is decided at start; restart to change it")
        if (loaded.config.user, loaded.config.group) != (self.config.user, self.config.group):
            raise CallRefused("user and group are decided at start; restart to change them")
        self._provide(loaded.config)
        tls = await asyncio.to_thread(admin_tls, loaded.config)
        await self.kernel.check(loaded.config)
        plan = self.sockets.prepare(layout_of(loaded.config, count))
        try:
            await self.fleet.prepare(_counted(loaded.config, count), _for_workers(plan, count, loaded.config))
        except BaseException:
            self.sockets.rollback()
            raise
        rules = needs_kernel(loaded.config)
        if rules:  # before the workers serve, who then may no longer decide on flows
            try:
                await self.kernel.apply(loaded.config)
            except BaseException:
                await self.fleet.rollback()
                self.sockets.rollback()
                raise
        self._switch_log(loaded.config)
        self.sockets.commit()  # first: clients in a queue that only this process holds open would be reset
        await self.fleet.commit()
        self.admin_tls = tls
        self._adopt(loaded)
        if not rules:
            await self.kernel.let_go(loaded.config)
        self._follow_kernel()
        await self.fleet.resize(max(1, count), loaded.config.shutdown.grace)
        warnings = await asyncio.to_thread(lambda: loaded.lint)
        return tuple(map(str, warnings))

    def _switch_log(self, config: Config) -> None:
        """Log as `config` says. Every worker has just opened the same file."""
        if config.error_log != self.config.error_log:
            try:
                error_log.configure(config)
            except OSError as error:
                log.error("error_log_not_opened", detail=str(error))

    def _adopt(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self.loaded_at = time.time()
        self.config_hash = hashlib.sha256("\0".join(loaded.files.values()).encode()).hexdigest()[:16]
        self.health.follow(loaded.config)
        self.acme.follow(loaded.config)

    def _provide(self, config: Config) -> None:
        """Make what workers need for their user. Raises CallRefused."""
        identity = identity_of(config)
        if identity is not None:
            if worker_count(config, self._workers) == 0:
                raise CallRefused("user is for worker processes, and --workers 0 has none")
            provide(config, identity)
        self.acme.reader = identity

    async def drain(self, grace: float, *, handed_over: bool) -> None:
        """Finish what is in flight, in `grace` seconds at most. A binary that has taken over has the kernel's flows."""
        await asyncio.gather(
            self.fleet.drain(grace, not handed_over), *(() if handed_over else (self.kernel.drain(grace),))
        )

    async def reopen_logs(self) -> None:
        """Have every worker continue in new log files. Raises CallRefused, Refused, Unavailable."""
        self._provide(self.config)
        error_log.reopen()
        await self.ask(logs.REOPEN, NOTHING)

    async def _hire_one(self, worker_id: int) -> WorkerHandle:
        worker = await self._hire(worker_id)
        worker.listen(self._asked)
        return worker

    def _shares_state(self) -> bool:
        return self.config.state.backend != "memory"

    async def ask(self, operation: Operation[Request, Reply], request: Request) -> Reply:
        """Carry out an operation in the whole node. Raises Refused, Unavailable."""
        return await operation.coordinate(self._node, request)

    async def _asked(self, name: str, request: Any) -> object:
        """Carry out an operation that a worker asks for. Raises CallRefused, CallFailed."""
        try:
            return await self.ask(operation_named(name), request)
        except (BuildError, Refused) as error:
            raise CallRefused(str(error)) from error
        except Unavailable as error:
            raise CallFailed(str(error)) from error

    async def _greet(self, worker: WorkerHandle) -> None:
        """Tell a new worker what the others know: operators' decisions and health."""
        await self.decisions.replay(worker)
        if self.acme.challenges:
            await worker.call(acme.SET, acme.Challenges(dict(self.acme.challenges)))
        for report in self.health.reports():
            with contextlib.suppress(CallRefused):  # a member that the worker's configuration does not have
                await worker.call(health.REPORT, report)

    async def _tell_challenges(self, challenges: Mapping[str, str]) -> None:
        try:
            await self.ask(acme.SET, acme.Challenges(dict(challenges)))
        except (Refused, Unavailable) as error:
            log.warn("acme_challenges_not_shared", detail=str(error))

    def _follow_kernel(self) -> None:
        """Keep the kernel's rules as members, sets and hours want them, and close the queues of what it forwards."""
        self.kernel.members_changed()
        self.kernel.watch()
        self.sockets.rest()

    def _standing(self, pool: str, member: str) -> tuple[bool, bool]:
        """Return the state of a member: True unless its checks fail, and True unless an operator drains it."""
        return self.health.is_up(pool, member), self.decisions.is_enabled(pool, member)

    def _decide(self, pool: str, member: str, state: str) -> None:
        self.decisions.note(pool, member, state)
        self.kernel.members_changed()

    async def _tell_health(self, report: health.Report) -> None:
        self.kernel.members_changed()
        try:
            await self.ask(health.REPORT, report)
        except (Refused, Unavailable) as error:
            log.warn("health_not_shared", pool=report.pool, member=report.member, detail=str(error))


def _counted(config: Config, workers: int) -> Config:
    """Return the configuration with the number of workers in force: they share what is limited in all."""
    return config.model_copy(update={"workers": workers})


def _for_workers(plan: SocketPlan, workers: int, config: Config) -> SocketPlan:
    """Return the plan for so many workers, without what only the supervisor or the kernel serves."""
    unserved = {ADMIN, *kernel_listeners(config)}
    listeners = {name: keys for name, keys in plan.listeners.items() if name not in unserved}
    wanted = {key for keys in listeners.values() for key in keys}
    sockets = {key: plan.sockets[key] for key in wanted}
    return replace(plan, listeners=listeners, sockets=sockets, workers=max(1, workers))


def _log_reload(result: ReloadResult) -> None:
    if result.ok:
        log.info("reloaded")
    else:
        log.error("reload_failed", problems=len(result.messages))
    for message in result.messages:
        if result.ok:
            log.warn("reload_warning", detail=message)
        else:
            log.error("reload_problem", detail=message)
