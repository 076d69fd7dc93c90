"""A serving worker as its metrics and the operations see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from adc.net.clock import Clock
from adc.runtime.assembly.runtime import Runtime
from adc.runtime.serve.caches import Caches
from adc.runtime.serve.cluster import ClusterNode
from adc.runtime.serve.firewall import WorkerFirewall
from adc.runtime.serve.listener import Listener
from adc.runtime.serve.log_files import LogFiles
from adc.runtime.serve.logs import Logs
from adc.runtime.serve.purges import ClusterPurges
from adc.runtime.serve.sessions import WorkerSessions
from adc.runtime.serve.state import SharedState


class Serving(Protocol):
    """The parts of a worker. `challenges` maps tokens of http-01 challenges to key authorizations."""

    worker_id: int
    started_at: float
    clock: Clock
    runtime: Runtime
    logs: Logs
    log_files: LogFiles
    state: SharedState
    cluster: ClusterNode
    caches: Caches
    purges: ClusterPurges
    sessions: WorkerSessions
    firewall: WorkerFirewall
    challenges: dict[str, str]

    @property
    def listeners(self) -> Mapping[str, Listener]:
        """The listeners of the configuration by name."""
