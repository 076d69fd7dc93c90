"""The supervisor process: signals, the admin server, the service manager, start and end of the service."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adc.admin.node import ReloadResult
from adc.control import adopted, error_log, notify, pidfile
from adc.control.activation import Inherited
from adc.control.admin_listener import AdminListener
from adc.control.calls import CallRefused
from adc.control.coalescing import Coalescing
from adc.control.fleet import Hire
from adc.control.operations import Operations
from adc.control.service import Load, Service
from adc.control.settings import ADMIN, AdminTls
from adc.control.upgrade import UpgradeFailed, upgrade
from adc.runtime.operations.operation import Refused, Unavailable
from adc.telemetry.event_log import EventLog

if TYPE_CHECKING:
    from adc.config import Loaded

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Arguments of `adc run`: the configuration's path, and what overrides it."""

    config: Path
    workers: int | None = None
    pidfile: Path | None = None


class Supervisor:
    """Runs one service until a signal ends it."""

    def __init__(self, options: RunOptions, load: Load, hire: Hire, inherited: Inherited) -> None:
        self._options = options
        self._inherited = inherited
        self._ending = asyncio.Event()
        self._changing = asyncio.Lock()
        self._service = Service(options.config, load, hire, options.workers)
        self.reload = Coalescing(self._reload)
        self._admin = AdminListener(Operations(self._service, self.reload, self._ending.is_set))
        self._admin_serves: tuple[Set[str], AdminTls | None] = (frozenset(), None)
        self._started = asyncio.Event()
        self._at_once = asyncio.Event()
        self._handed_over = False
        self._busy: set[asyncio.Task[None]] = set()

    async def run(self, loaded: Loaded) -> None:
        """Start, serve, end.

        Raises BindError, CallRefused, CallFailed, PidfileTaken, OSError: it did not start.
        """
        error_log.keep_flushed(asyncio.get_running_loop())
        adopted.keep_reaping(asyncio.get_running_loop())
        try:
            await self._start(loaded)
            await self._ending.wait()
            await self._end()
        finally:
            await self._service.health.close()
            await self._service.acme.close()
            await self._service.fleet.kill()
            await self._admin.close()
            self._service.sockets.close(handed_over=self._handed_over)
            await self._service.kernel.close(handed_over=self._handed_over)
            if self._options.pidfile is not None:
                pidfile.remove(self._options.pidfile)

    async def _reload(self) -> ReloadResult:
        """Reload the configuration, and notify the service manager."""
        async with self._changing:  # what a binary that takes over was given stays as it is until it serves
            if self._ending.is_set():
                return ReloadResult(False, ("the service is ending",), time.time())
            notify.reloading()
            result = await self._service.reload()
            if result.ok:  # not waited for: it waits for answers in flight, of which this may be one
                self._in_background(self._open_admin())
            notify.notify("READY=1")
            return result

    async def _start(self, loaded: Loaded) -> None:
        self._listen_to_signals()  # before any other process can know where to send one
        if self._options.pidfile is not None:
            pidfile.write(self._options.pidfile, os.getppid() if self._inherited.upgrading else None)
        await self._service.start(loaded, self._inherited)
        await self._open_admin()
        self._inherited.tell_ready()
        self._started.set()
        notify.notify("READY=1", f"MAINPID={os.getpid()}")
        log.info("serving", config=self._options.config, workers=len(self._service.fleet.workers))

    async def _end(self) -> None:
        if self._handed_over:
            await self._admin.close()
        else:
            notify.notify("STOPPING=1")
        grace = self._service.config.shutdown.grace
        self._service.sockets.close(handed_over=self._handed_over)
        drained = asyncio.create_task(self._service.drain(grace, handed_over=self._handed_over))
        at_once = asyncio.create_task(self._at_once.wait())
        await asyncio.wait((drained, at_once), return_when=asyncio.FIRST_COMPLETED)
        for task in (drained, at_once):
            task.cancel()
        await asyncio.gather(drained, at_once, return_exceptions=True)

    async def _open_admin(self) -> None:
        """Serve admin where and as the configuration says."""
        service = self._service
        admin, wanted = service.config.admin, service.sockets.of(ADMIN)
        if admin is not None:
            self._admin.access.hosts = (service.config.node, *admin.hosts)
            self._admin.access.token = admin.token
        if (wanted.keys(), service.admin_tls) == self._admin_serves:
            return
        self._admin_serves = (wanted.keys(), service.admin_tls)
        if wanted:
            context = None if service.admin_tls is None else service.admin_tls.context
            await self._admin.listen(wanted.values(), context)
        else:
            await self._admin.close()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        loop.add_signal_handler(signal.SIGQUIT, self._terminate)  # nginx's signal for a drain
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGHUP, self._when_started, self.reload)
        loop.add_signal_handler(signal.SIGUSR1, self._when_started, Coalescing(self._reopen_logs))
        loop.add_signal_handler(signal.SIGUSR2, self._when_started, Coalescing(self._upgrade))

    def _terminate(self) -> None:
        if self._ending.is_set():
            self._at_once.set()
        self._ending.set()

    def _interrupt(self) -> None:
        self._at_once.set()
        self._ending.set()

    def _when_started(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do what a signal asks for, once the service has started and unless it ends."""

        async def run() -> None:
            await self._started.wait()
            if not self._ending.is_set():
                await work()

        self._in_background(run())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _reopen_logs(self) -> None:
        try:
            await self._service.reopen_logs()
        except (CallRefused, Refused, Unavailable, OSError) as error:
            log.error("logs_not_reopened", detail=str(error))

    async def _upgrade(self) -> None:
        async with self._changing:
            if not self._ending.is_set():
                await self._hand_over()

    async def _hand_over(self) -> None:
        await self._service.kernel.pause()
        try:
            successor = await upgrade(self._service.sockets.open(), self._service.handover)
        except UpgradeFailed as error:
            log.error("upgrade_failed", detail=str(error))
            self._service.kernel.resume()
            return
        log.info("upgraded", successor=successor)
        notify.notify(f"MAINPID={successor}")
        self._handed_over = True
        self._ending.set()
