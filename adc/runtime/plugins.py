"""Plugins of the configuration as chains of its routes, from their start to the end of their last exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from adc.config import Config
from adc.plugin.chain import Chain
from adc.plugin.context import Log
from adc.plugin.host import Services
from adc.plugin.loader import Catalog, LoadFailed
from adc.plugin.options import OptionErrors, key_text, make_use
from adc.plugin.use import PluginStartFailed, PluginUse
from adc.runtime.errors import BuildError
from adc.runtime.steps import Steps
from adc.telemetry.samples import Sample

Finding = tuple[tuple[str | int, ...], str]
"""A place in the configuration, and what is wrong there."""


class NodeServices(Services, Protocol):
    """Services that hold something open until they are closed."""

    log: Log

    def close(self) -> None:
        """Release what is open: no plugin uses it any more."""


@dataclass(slots=True)
class PluginUses:
    """The plugins of a configuration, made with their options: those of each route in `by_route`, by its name. The
    second use of a plugin in a route is called `name#2`. `findings` is everything that is wrong.

    `catalog` is None for a configuration without plugins, for which nothing is imported.
    """

    catalog: Catalog | None = None
    by_route: dict[str, list[PluginUse]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def plugin_uses(config: Config) -> Steps[PluginUses]:
    """Make the plugins of `config`, one in each step."""
    uses = PluginUses()
    if not any(route.plugins for route in config.routes):
        return uses
    try:
        catalog = uses.catalog = Catalog(config.plugin_paths)
    except LoadFailed as error:
        uses.findings.append((("plugin_paths",), str(error)))
        return uses
    for number, route in enumerate(config.routes):
        for place, written in enumerate(route.plugins):
            at = ("routes", number, "plugins", place, written.name)
            before = sum(each.name == written.name for each in route.plugins[:place])
            try:
                name = f"{written.name}#{before + 1}" if before else written.name
                use = make_use(name, catalog.find(written.name), written.options, config.folder)
            except LoadFailed as error:
                uses.findings.append((at, str(error)))
            except OptionErrors as errors:
                uses.findings += [((*at, *key), message) for key, message in errors.findings]
            else:
                uses.by_route.setdefault(route.name, []).append(use)
            yield
    return uses


class Plugins:
    """The chains of one configuration by route, of the plugins that were made. Raises BuildError with everything that
    is wrong.

    `start` before they serve, `retire` when nothing new will reach them: each chain is closed after its last
    exchange.
    """

    def __init__(self, config: Config, uses: PluginUses) -> None:
        self._closing: set[asyncio.Task[None]] = set()
        self._open = 0
        self._services: NodeServices | None = None
        self._catalog = uses.catalog
        if uses.findings:
            self.discard()
            names = [route.name for route in config.routes]
            raise BuildError("\n".join(_text(path, message, names) for path, message in uses.findings))
        self.chains: Mapping[str, Chain] = {name: Chain(name, used) for name, used in uses.by_route.items()}

    async def start(self, services: NodeServices) -> None:
        """Start every plugin, all or none; `services` are closed after the last one. Other work has its turn after each
        chain. Raises BuildError."""
        self._services = services
        started: list[Chain] = []
        for chain in self.chains.values():
            try:
                await chain.start(services)
            except PluginStartFailed as error:
                for each in started:
                    await each.close()
                services.close()
                raise BuildError(f"route {chain.route}: {error}") from error
            started.append(chain)
            await asyncio.sleep(0)
        self._open = len(started)

    def discard(self) -> None:
        """Forget the modules of the plugins, which nothing uses."""
        if self._catalog is not None:
            self._catalog.close()

    @property
    def over(self) -> bool:
        """True once every chain is closed."""
        return not self._open

    def retire(self, log: Log) -> None:
        """Close each chain as soon as no exchange uses it; `log` is the error log from now on."""
        loop = asyncio.get_running_loop()
        if self._services is not None:
            self._services.log = log

        def close(chain: Chain) -> None:
            task = loop.create_task(self._close(chain, log))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        for chain in self.chains.values():
            chain.retire(partial(close, chain))

    async def closed(self) -> None:
        """Wait for the chains that are being closed."""
        await asyncio.gather(*self._closing)

    async def _close(self, chain: Chain, log: Log) -> None:
        for problem in await chain.close():
            log.warn("plugin_close_failed", route=chain.route, detail=problem)
        self._open -= 1
        if not self._open:
            self.discard()
            if self._services is not None:
                self._services.close()

    def adopt(self, previous: Plugins) -> None:
        """Carry on the counters of the same uses before."""
        for route, chain in self.chains.items():
            before = previous.chains.get(route)
            known = {} if before is None else {use.name: use for use in before.uses}
            for use in chain.uses:
                if use.name in known:
                    use.adopt(known[use.name])

    def restore_tables(self) -> None:
        """Give the tables their sizes again, after a candidate that was rolled back gave them others."""
        for chain in self.chains.values():
            for use in chain.uses:
                for declared in use.declared.tables.values():
                    declared.resize()

    def samples(self, worker: str) -> Iterator[Iterable[Sample]]:
        """Yield the metrics of every use, use by use; `worker` is the worker's id."""
        for route, chain in self.chains.items():
            for use in chain.uses:
                yield _samples(route, use, worker)


def _samples(route: str, use: PluginUse, worker: str) -> Iterable[Sample]:
    labels, declared = (route, use.name), use.declared
    yield Sample("adc_plugin_stopped_total", labels, use.stopped.value)
    for (phase, reason), number in use.errors.items():
        yield Sample("adc_plugin_errors_total", (*labels, phase, reason), number)
    for counter in declared.counters.values():
        yield Sample("adc_plugin_counter_total", (*labels, counter.name), counter.value)
    for keyed in declared.keyed.values():
        for key, number in keyed.values.items():
            yield Sample("adc_plugin_keyed_counter_total", (*labels, keyed.name, key), number)
    for gauge in declared.gauges.values():
        yield Sample("adc_plugin_gauge", (*labels, gauge.name, worker), gauge.value)
    for name, text in declared.helps():
        yield Sample("adc_plugin_metric_info", (*labels, name, text), 1)
    for name, opened in declared.tables.items():
        yield Sample("adc_plugin_table_entries", (*labels, name), len(opened.table))
        yield Sample("adc_plugin_table_evicted_total", (*labels, name), opened.table.evicted)


def _text(path: tuple[str | int, ...], message: str, routes: list[str]) -> str:
    """Return `route api: plugin waf: mode: is ...`."""
    if len(path) < 5 or not isinstance(path[1], int):
        return f"{key_text(path)}{message}"
    return f"route {routes[path[1]]}: plugin {path[4]}: {key_text(path[5:])}{message}"
