"""Starting the service in this process: what `adc run` does once the configuration is read."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

import uvloop

from adc.config import load
from adc.control import activation, error_log
from adc.control.calls import CallFailed, CallRefused
from adc.control.fleet import Hire
from adc.control.pidfile import PidfileTaken
from adc.control.processes import Recruits
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


def serve(options: RunOptions, loaded: Loaded, environ: MutableMapping[str, str], recruits: Recruits) -> None:
    """Serve until told to end. `environ` may hold sockets of systemd or of the binary before us.

    Raises StartFailed.
    """
    try:
        error_log.configure(loaded.config)
    except OSError as error:
        raise StartFailed(f"cannot write the error log: {error}", 2) from None
    if os.geteuid() == 0 and loaded.config.user is None:
        log.warn("workers_run_as_root", detail="name another user with user:")
    inherited = activation.receive(environ)
    uvloop.run(_serve(options, loaded, inherited, recruits))


async def _serve(
    options: RunOptions, loaded: Loaded, inherited: activation.Inherited, recruits: Recruits
) -> None:
    supervisor = Supervisor(options, load, _hire(loaded.config, options.workers, recruits), inherited)
    try:
        await supervisor.run(loaded)
    except CallRefused as error:
        raise StartFailed(str(error), 2) from None
    except (BindError, CallFailed, PidfileTaken, OSError) as error:
        raise StartFailed(str(error), 1) from None


def _hire(config: Config, workers: int | None, recruits: Recruits) -> Hire:
    count = worker_count(config, workers)
    recruits.keep(count)
    if count > 0:

        async def child(worker_id: int) -> WorkerHandle:
            return ChildWorker(recruits.take(worker_id))

        return child

    async def local(worker_id: int) -> WorkerHandle:
        from adc.runtime.serve import descriptors
        from adc.runtime.worker import BuildError, Worker

        descriptors.raise_limit()
        return LocalWorker(ServingSockets(Worker, worker_id, (BuildError,)))

    return local
