"""Services for a plugin besides its exchanges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from adc.plugin.background import Background
from adc.plugin.context import Log
from adc.plugin.declared import Declared, DeclaredTable
from adc.plugin.derived_keys import DerivedKeys
from adc.plugin.http_client import HttpClient, HttpLimits
from adc.plugin.metrics import Counter, Gauge, KeyedCounter
from adc.plugin.names import check_name
from adc.plugin.processes import Processes, ProcessLimits
from adc.plugin.switch import Switch, switches_of
from adc.plugin.table import NoClusterState, Scope, Table
from adc.plugin.watched_files import OnChange, WatchedFiles
from adc.state.interface import Store
from adc.state.key_ring import KeyRing


class LineWriter(Protocol):
    """A log file."""

    @property
    def dropped(self) -> int:
        """The number of lines that were lost."""

    def append(self, line: str) -> None:
        """Write one line, given without its end; line breaks in it are the caller's fault."""


class Services(Protocol):
    """Services of the process that runs plugins, for their hosts."""

    @property
    def log(self) -> Log:
        """The error log."""

    @property
    def shares_rates(self) -> bool:
        """True unless `cluster.sync.rate_limits` is off."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""

    def wall(self) -> float:
        """Return seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""

    def store(self, scope: Scope) -> Store:
        """Return the store of that scope, opened if need be. Raises NoClusterState, or another exception if the store
        cannot be opened."""

    def log_file(self, path: str) -> LineWriter:
        """Return the log at `path`, opened if need be. Raises OSError."""

    def cache_folder(self, plugin: str) -> Path | None:
        """Return a folder for files of a plugin, None if there is none."""

    def processes(self, limits: ProcessLimits) -> Processes:
        """Return a new pool of processes."""

    def http_client(self, limits: HttpLimits) -> HttpClient:
        """Return a new client. Raises OSError or ValueError for a file of authorities that cannot be read."""

    async def keys(self) -> KeyRing:
        """Return the secrets of this node."""


class Host:
    """Services for one use of a plugin in one route; `Plugin.start` receives it.

    Tables, counters and gauges are declared in `start`; later declarations raise RuntimeError, invalid ones
    ValueError.
    """

    def __init__(
        self,
        plugin: str,
        route: str,
        services: Services,
        declared: Declared,
        background: Background,
        files: WatchedFiles,
    ) -> None:
        self.plugin = plugin
        self.route = route
        self._services = services
        self._declared = declared
        self._background = background
        self._files = files

    @property
    def now(self) -> Callable[[], float]:
        """The function that returns seconds on a clock that never goes back, for intervals. A plugin that asks at each
        request keeps it: `self._now = host.now`."""
        return self._services.now

    @property
    def shares_rates(self) -> bool:
        """True if the nodes of a cluster count rates together, unless an option says otherwise
        (`cluster.sync.rate_limits`)."""
        return self._services.shares_rates

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return self._services.wall()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`: `asyncio.sleep` on a clock that a test can move."""
        await self._services.sleep(seconds)

    def warn(self, message: str, **fields: object) -> None:
        """Write a line to the error log: the plugin, the route, `message` and `fields`. For work outside of exchanges;
        within one, `Context.warn` adds the request id."""
        own = {"plugin": self.plugin, "route": self.route, "detail": message}
        self._services.log.warn("plugin_message", **(fields | own))

    def table(self, name: str, size: int, scope: Scope = "node", *, shared: str = "") -> Table:
        """Declare a shared table of at most `size` entries; 16 tables at most. It belongs to this use of the plugin in
        this route alone, and outlives reloads. Uses that give `shared`, the name of their plugin, have one table of a
        name together, in all routes, of the size that was declared last.

        Scope "node": the workers of this machine share it (with `state: memory` each worker has its own). Scope
        "cluster": all machines on the same Redis do; NoClusterState if `state` names none. An exception that
        leaves `start` refuses the configuration.
        """
        self._declared.check_table(name, size, scope)
        store = self._services.store(scope)
        if shared:
            check_name("shared table", shared, ())
        stored_as = f"plugin//{shared}/{name}" if shared else f"plugin/{self.route}/{self.plugin}/{name}"
        table = Table(store.table(stored_as, size), self._services.wall, store.status)
        self._declared.tables[name] = DeclaredTable(table, store, stored_as, size)
        return table

    def switch(self, name: str, configured: bool = False) -> Switch:
        """Declare a switch, which an operator turns with `adc maintenance on NAME`; `on` tells its state. Plugins and
        routes that name the same switch share it. It is the same in all workers, and in all nodes on one Redis, and
        holds over reloads and restarts of workers; over restarts of the node if `state.path` is on a disk.
        `configured`: it is on in any case.
        """
        self._declared.check_switch(name)
        try:
            store = self._services.store("cluster")
        except NoClusterState:
            store = self._services.store("node")
        switch = Switch(name, configured, switches_of(store), self._services.wall)
        self._declared.switches[name] = switch
        return switch

    def counter(self, name: str, help: str) -> Counter:  # noqa: A002
        """Declare the metric `adc_plugin_counter_total{route,plugin,counter="<name>"}`. A reload keeps its value."""
        return self._declared.counter(name, help)

    def keyed_counter(self, name: str, help: str, most: int = 500) -> KeyedCounter:  # noqa: A002
        """Declare the metric `adc_plugin_keyed_counter_total{route,plugin,counter="<name>",key}`. A reload keeps its
        values. Keys above `most` (2000 at most) are counted together as `other`."""
        return self._declared.keyed_counter(name, help, most)

    def gauge(self, name: str, help: str) -> Gauge:  # noqa: A002
        """Declare the metric `adc_plugin_gauge{route,plugin,gauge="<name>",worker}`."""
        return self._declared.gauge(name, help)

    def log_file(self, path: Path | str) -> LineWriter:
        """Open a log file that plugins of this worker, and those of other workers, append whole lines to.

        Its lines are buffered, written within a fraction of a second, and dropped and counted above 4 MB that the disk
        or reader has not taken. The file is reopened after a rotation like the other logs (`SIGUSR1`). `-` is standard
        output. Raises OSError if the file cannot be opened; to be called in `start`.
        """
        return self._services.log_file(str(path))

    def cache_folder(self) -> Path | None:
        """Return a folder for files that this plugin can make again, private to the user of the workers and shared by
        them, the routes and later starts; None if there is none, as in `adc check`."""
        return self._services.cache_folder(self.plugin.partition("#")[0])

    def http(
        self,
        *,
        timeout: float = 5.0,
        most: int = 1 << 20,
        verify: bool = True,
        ca_file: Path | None = None,
        redirects: int = 0,
        connections: int = 50,
    ) -> HttpClient:
        """Return an HTTP client, which is closed after `close` of the plugin; to be called in `start`.

        `timeout` in seconds is for a whole request, `most` bytes for the content of a response. `ca_file` names the
        authorities to trust instead of the machine's. No proxy of the environment is used. In `adc check` every request
        raises HttpFailed. Raises OSError or ValueError for a `ca_file` that cannot be read.
        """
        limits = HttpLimits(timeout, most, verify, ca_file, redirects, connections)
        return self._declared.client(self._services.http_client(limits))

    def processes(
        self,
        workers: int = 1,
        waiting: int = 32,
        *,
        memory: int = 512 << 20,
        seconds: float = 10.0,
        nice: int = 19,
    ) -> Processes:
        """Return a pool of processes for work that would hold the worker; to be called in `start`.

        Each worker of adc has its own pool: at most `workers` processes, and `waiting` jobs that none of them has
        begun. A job may take `seconds`; a process may use `memory` bytes, and gives way to others by `nice` (0 to 19).
        """
        limits = ProcessLimits(workers, waiting, memory, seconds, nice)
        return self._declared.processes(self._services.processes(limits))

    async def keys(self, name: str) -> Sequence[bytes]:
        """Return the keys of 32 bytes for the purpose `name`: the first to sign or encrypt with, all to verify or
        decrypt with. Read them at each use: they change when the nodes of a cluster agree on another secret.

        They are derived from the secret of this node (`cluster.secret`, or one that was made at the first start): the
        same in all workers, routes and reloads, and in all nodes of a cluster; others for each plugin and purpose.
        """
        check_name("key", name, ())
        purpose = f"adc plugin key\n{self.plugin.partition('#')[0]}\n{name}".encode()
        return DerivedKeys(await self._services.keys(), purpose)

    def spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        """Run `work` besides the exchanges; each worker runs its own. It is cancelled and awaited before `close`.

        An exception ends it, is logged and counted (`adc_plugin_errors_total` with phase="background"). Each stretch
        between two awaits is held to the `budget` of the plugin. Raises RuntimeError if 100 tasks run already.
        """
        return self._background.spawn(work)

    def watch_file(self, path: Path | str, on_change: OnChange) -> None:
        """Call `on_change` (`def` or `async def`) after each change of the file at `path`, within about a second, in
        every worker. Call this before the first reading, so that no change is missed in between.

        A file that disappears is not a change; one that comes back is. If `on_change` raises, the failure is logged and
        counted (`adc_plugin_errors_total` with phase="background"), and the next change calls it again. It is held to
        the `budget` of the plugin like a task of `spawn`.
        """
        self._files.add(Path(path), on_change)
