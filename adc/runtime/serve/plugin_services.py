"""Services of a worker for the plugins of one configuration."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from adc.config import Config
from adc.plugin.context import Log
from adc.plugin.http_client import HttpClient, HttpLimits
from adc.plugin.process_pool import ProcessPool
from adc.plugin.processes import Processes, ProcessLimits
from adc.plugin.table import NoClusterState, Scope
from adc.runtime.assembly.folder import private_folder, state_folder
from adc.runtime.serve.log_files import LogFiles
from adc.runtime.serve.state import Opened, SharedState
from adc.state.interface import Store
from adc.state.key_ring import KeyRing
from adc.telemetry.line_log import LineLog

Keys = Callable[[], Awaitable[KeyRing]]
"""Returns the secrets of the node."""


class ProcessClocks:
    """The clocks of this process."""

    now = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(seconds)


class PluginServices(ProcessClocks):
    """Clocks, the error log, and the store of the worker, which is opened when the first plugin declares a table and
    stays open until `close`. `log` may be replaced.
    """

    def __init__(
        self,
        config: Config,
        state: SharedState,
        log: Log,
        files: LogFiles,
        keys: Keys,
    ) -> None:
        self.log = log
        self.shares_rates = shares_rates(config)
        self._keys = keys
        self._config = config
        self._files = files
        self._borrowed: list[str] = []
        self._state = state
        self._opened: Opened | None = None
        self._give_back: Callable[[], None] | None = None

    def store(self, scope: Scope) -> Store:
        """Return the store of that scope. Raises NoClusterState, and BuildError if it cannot be opened."""
        check_scope(self._config, scope)
        if self._opened is None:
            self._opened = self._state.prepare(self._config)
            self._give_back = self._state.borrow(self._opened)
        return self._opened.store if scope == "cluster" else self._opened.node

    def log_file(self, path: str) -> LineLog:
        """Return the log at `path`; a relative path starts at the folder of the configuration. Raises OSError."""
        place = log_path(self._config, path)
        log = self._files.borrow(place)
        self._borrowed.append(place)
        return log

    def cache_folder(self, plugin: str) -> Path:
        """Return a folder beside the tables of this node. Raises BuildError."""
        return private_folder(private_folder(state_folder(self._config)) / f"plugin-{plugin}")

    def processes(self, limits: ProcessLimits) -> Processes:
        """Return a new pool, whose processes start when there is work."""
        return ProcessPool(limits)

    def http_client(self, limits: HttpLimits) -> HttpClient:
        """Return a new client; the first one imports aiohttp's. Raises OSError or ValueError."""
        from adc.plugin.aiohttp_client import AiohttpClient

        return AiohttpClient(limits)

    async def keys(self) -> KeyRing:
        """Return the secrets of this node. Raises BuildError."""
        return await self._keys()

    def close(self) -> None:
        """Give the store and the log files back: no plugin uses them any more."""
        for path in self._borrowed:
            self._files.give_back(path)
        self._borrowed.clear()
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()


def log_path(config: Config, path: str) -> str:
    """Return the path of a log file as LineLog takes it."""
    return path if path == "-" else str(Path(config.folder, path))


def shares_rates(config: Config) -> bool:
    """Return `cluster.sync.rate_limits`; True without a cluster."""
    return config.cluster is None or config.cluster.sync.rate_limits


def check_scope(config: Config, scope: Scope) -> None:
    """Raise NoClusterState unless `config` has a store of that scope."""
    if scope == "cluster" and config.state.backend != "redis":
        raise NoClusterState(
            f"a table of scope cluster needs a store that machines share, and the state backend is "
            f"{config.state.backend}; write state: {{backend: redis, url: redis://HOST:PORT/DATABASE}}"
        )
