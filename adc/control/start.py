"""Starting the service in this process: what `adc run` does once the configuration is read."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

import uvloop

from adc.config import load
from adc.control import activation, error_log
from adc.control.calls import CallFailed, CallRefused
from adc.control.fleet import Hire
from adc.control.pidfile import PidfileTaken
from adc.control.processes import ForkServer
from adc.control.serving import ServingSockets
from adc.control.settings import worker_count
from adc.control.sockets import BindError
from adc.control.supervisor import RunOptions, Supervisor
from adc.control.workers import ChildWorker, LocalWorker, WorkerHandle
from adc.telemetry.event_log import EventLog

if TYPE_CHECKING:
    from adc.config import Config, Loaded

log = EventLog(__name__)


class StartFailed(Exception):
    """The service does not start; the text is for the user, `code` for the shell."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def serve(options: RunOptions, loaded: Loaded, environ: MutableMapping[str, str]) -> None:
    """Serve until told to end. `environ` may hold sockets of systemd or of the previous binary.

    Raises StartFailed.
    """
    _repair_inheritance()
    handed_over = activation.take(environ)  # no process that the fork server forks receives sockets
    try:
        fork_server = _fork_server(loaded.config, options.workers)
    except OSError as error:
        raise StartFailed(f"cannot start the fork server: {error}", 1) from None
    gc.enable()
    try:
        error_log.configure(loaded.config)
    except OSError as error:
        raise StartFailed(f"cannot write the error log: {error}", 2) from None
    if os.geteuid() == 0 and loaded.config.user is None:
        log.warn("workers_run_as_root", detail="name another user with user:")
    inherited = activation.receive(handed_over)
    uvloop.run(_serve(options, loaded, inherited, fork_server))


async def _serve(
    options: RunOptions, loaded: Loaded, inherited: activation.Inherited, fork_server: ForkServer | None
) -> None:
    supervisor = Supervisor(options, load, _hire(fork_server), inherited)
    try:
        await supervisor.run(loaded)
    except CallRefused as error:
        raise StartFailed(str(error), 2) from None
    except (BindError, CallFailed, PidfileTaken, OSError) as error:
        raise StartFailed(str(error), 1) from None
    finally:
        if fork_server is not None:
            fork_server.close()


def _repair_inheritance() -> None:
    """Undo what the starting process may have left: standard descriptors closed, the end of children ignored.

    A socket must not become standard output, and an exit code that nobody keeps cannot be waited for.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _fork_server(config: Config, workers: int | None) -> ForkServer | None:
    """Fork the fork server while this process has neither threads nor an event loop; None without workers."""
    if worker_count(config, workers) == 0:
        return None
    from adc.runtime.preload import preload

    preload(config)
    gc.freeze()  # what this process leaves alone it shares with the workers
    server = ForkServer()
    server.fork()
    return server


def _hire(fork_server: ForkServer | None) -> Hire:
    if fork_server is not None:

        async def child(worker_id: int) -> WorkerHandle:
            return ChildWorker(await fork_server.worker(worker_id))

        return child

    async def local(worker_id: int) -> WorkerHandle:
        from adc.runtime.serve import descriptors
        from adc.runtime.worker import BuildError, Worker

        descriptors.raise_limit()
        return LocalWorker(ServingSockets(Worker, worker_id, (BuildError,)))

    return local
