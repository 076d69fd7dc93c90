"""Plugins of the configuration as chains of its routes, and their life from a reload to the next but one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

from adc.config import Config
from adc.plugin.chain import Chain, StartFailed
from adc.plugin.loader import Catalog, LoadFailed
from adc.plugin.options import OptionErrors, key_text, make_use
from adc.plugin.steps import PluginUse
from adc.runtime.errors import BuildError
from adc.telemetry.error_log import ErrorLog
from adc.telemetry.samples import Sample

Finding = tuple[tuple[str | int, ...], str]
"""A place in the configuration, and what is wrong there."""


class Plugins:
    """The chains of one configuration by route. Raises BuildError with everything that is wrong.

    `start` before they serve, `retire` when nothing new will reach them: each chain is closed after its last
    exchange.
    """

    def __init__(self, config: Config) -> None:
        self._closing: set[asyncio.Task[None]] = set()
        self._open = 0
        self._catalog, uses, findings = plugin_uses(config)
        if findings:
            names = [route.name for route in config.routes]
            raise BuildError("\n".join(_text(path, message, names) for path, message in findings))
        self.chains: Mapping[str, Chain] = {name: Chain(name, used) for name, used in uses.items()}

    async def start(self) -> None:
        """Start every plugin, all or none. Raises BuildError."""
        started: list[Chain] = []
        for chain in self.chains.values():
            try:
                await chain.start()
            except StartFailed as error:
                for each in started:
                    await each.close()
                raise BuildError(f"route {chain.route}: {error}") from error
            started.append(chain)
        self._open = len(started)

    def retire(self, error_log: ErrorLog) -> None:
        """Close each chain as soon as no exchange uses it."""
        loop = asyncio.get_running_loop()

        def close(chain: Chain) -> None:
            task = loop.create_task(self._close(chain, error_log))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        for chain in self.chains.values():
            chain.retire(partial(close, chain))

    async def closed(self) -> None:
        """Wait for the chains that are being closed."""
        await asyncio.gather(*self._closing)

    async def _close(self, chain: Chain, error_log: ErrorLog) -> None:
        for problem in await chain.close():
            error_log.warn("plugin_close_failed", route=chain.route, detail=problem)
        self._open -= 1
        if not self._open and self._catalog is not None:
            self._catalog.close()

    def adopt(self, previous: Plugins) -> None:
        """Take over what was counted, by route and plugin."""
        for route, chain in self.chains.items():
            before = previous.chains.get(route)
            known = {} if before is None else {use.name: use for use in before.uses}
            for use in chain.uses:
                if use.name in known:
                    _carry_over(known.pop(use.name), use)

    def samples(self) -> Iterable[Sample]:
        """What the plugins count, and what is counted of them."""
        for route, chain in self.chains.items():
            for use in chain.uses:
                labels = (route, use.name)
                yield Sample("adc_plugin_stopped_total", labels, use.stops)
                for (phase, reason), number in use.errors.items():
                    yield Sample("adc_plugin_errors_total", (*labels, phase, reason), number)
                for counter, number in use.plugin.counters.items():
                    yield Sample("adc_plugin_counter_total", (*labels, counter), number)


def plugin_uses(config: Config) -> tuple[Catalog | None, dict[str, list[PluginUse]], list[Finding]]:
    """The plugins of each route that has any, made with their options, and everything that is wrong.

    Nothing is imported for a configuration without plugins.
    """
    uses: dict[str, list[PluginUse]] = {}
    findings: list[Finding] = []
    if not any(route.plugins for route in config.routes):
        return None, uses, findings
    try:
        catalog = Catalog(config.plugin_paths)
    except LoadFailed as error:
        return None, uses, [(("plugin_paths",), str(error))]
    for number, route in enumerate(config.routes):
        for place, written in enumerate(route.plugins):
            at = ("routes", number, "plugins", place, written.name)
            try:
                use = make_use(written.name, catalog.find(written.name), written.options)
            except LoadFailed as error:
                findings.append((at, str(error)))
            except OptionErrors as errors:
                findings += [((*at, *key), message) for key, message in errors.findings]
            else:
                uses.setdefault(route.name, []).append(use)
    return catalog, uses, findings


def _carry_over(before: PluginUse, use: PluginUse) -> None:
    use.errors.update(before.errors)
    use.stops = before.stops
    counters = use.plugin.counters
    counters.update({name: number for name, number in before.plugin.counters.items() if name in counters})


def _text(path: tuple[str | int, ...], message: str, routes: list[str]) -> str:
    """`route api: plugin waf: mode: is ...`."""
    if len(path) < 5 or not isinstance(path[1], int):
        return f"{key_text(path)}{message}"
    return f"route {routes[path[1]]}: plugin {path[4]}: {key_text(path[5:])}{message}"
