"""Services for a plugin besides its exchanges."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from adc.plugin.background import Background
from adc.plugin.context import Log
from adc.plugin.declared import Declared, DeclaredTable
from adc.plugin.metrics import Counter, Gauge
from adc.plugin.table import Scope, Table
from adc.state.interface import Store


class Services(Protocol):
    """Services of the process that runs plugins, for their hosts."""

    @property
    def log(self) -> Log:
        """The error log."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""

    def wall(self) -> float:
        """Return seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""

    def store(self, scope: Scope) -> Store:
        """Return the store of that scope, opened if need be. Raises NoClusterState, or another exception if the store
        cannot be opened."""


class Host:
    """Services for one use of a plugin in one route; `Plugin.start` receives it.

    Tables, counters and gauges are declared in `start`; later declarations raise RuntimeError, invalid ones
    ValueError.
    """

    def __init__(
        self, plugin: str, route: str, services: Services, declared: Declared, background: Background
    ) -> None:
        self.plugin = plugin
        self.route = route
        self._services = services
        self._declared = declared
        self._background = background

    def now(self) -> float:
        """Return seconds on a clock that never goes back, for intervals."""
        return self._services.now()

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

    def table(self, name: str, size: int, scope: Scope = "node") -> Table:
        """Declare a shared table of at most `size` entries; 16 tables at most. It belongs to this use of the plugin in
        this route alone, and outlives reloads.

        Scope "node": the workers of this machine share it (with `state: memory` each worker has its own). Scope
        "cluster": all machines on the same Redis do; NoClusterState if `state` names none. An exception that
        leaves `start` refuses the configuration.
        """
        self._declared.check_table(name, size, scope)
        store = self._services.store(scope)
        stored_as = f"plugin/{self.route}/{self.plugin}/{name}"
        table = Table(store.table(stored_as, size), self._services.wall, store.status)
        self._declared.tables[name] = DeclaredTable(table, store, stored_as, size)
        return table

    def counter(self, name: str, help: str) -> Counter:  # noqa: A002
        """Declare the metric `adc_plugin_counter_total{route,plugin,counter="<name>"}`. A reload keeps its value."""
        return self._declared.counter(name, help)

    def gauge(self, name: str, help: str) -> Gauge:  # noqa: A002
        """Declare the metric `adc_plugin_gauge{route,plugin,gauge="<name>",worker}`."""
        return self._declared.gauge(name, help)

    def spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        """Run `work` besides the exchanges; each worker runs its own. It is cancelled and awaited before `close`.

        An exception ends it, is logged and counted (`adc_plugin_errors_total` with phase="background"). Each stretch
        between two awaits is held to the `budget` of the plugin. Raises RuntimeError if 100 tasks run already.
        """
        return self._background.spawn(work)
