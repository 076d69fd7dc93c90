"""Plugins as `adc check` tries them: started and closed, on tables in memory."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from adc.config import Config
from adc.plugin.chain import Chain
from adc.plugin.table import Scope
from adc.plugin.use import PluginStartFailed
from adc.runtime.plugins import plugin_uses
from adc.runtime.serve.plugin_services import ProcessClocks, check_scope
from adc.state.memory import MemoryStore

Finding = tuple[tuple[str | int, ...], str]


class TriedPlugins(NamedTuple):
    """What is wrong with the plugins of a configuration, and True if one of them declares a table."""

    findings: list[Finding]
    in_tables: bool


class _NoLog:
    def warn(self, message: str, /, **fields: object) -> None:
        """No-op: nothing is served."""


class _CheckServices(ProcessClocks):
    """Services without a trace; `asked` once a plugin has declared a table."""

    def __init__(self, config: Config) -> None:
        self.log = _NoLog()
        self.asked = False
        self._config = config
        self._store = MemoryStore()

    def store(self, scope: Scope) -> MemoryStore:
        check_scope(self._config, scope)
        self.asked = True
        return self._store


def try_plugins(config: Config) -> TriedPlugins:
    """Make, start and close every plugin."""
    catalog, uses, findings = plugin_uses(config)
    services = _CheckServices(config)
    if not findings:
        places = {route.name: place for place, route in enumerate(config.routes)}
        chains = [Chain(name, used) for name, used in uses.items()]
        for chain, error in asyncio.run(_started(chains, services)):
            findings.append((("routes", places[chain.route], "plugins"), str(error)))
    if catalog is not None:
        catalog.close()
    return TriedPlugins(findings, services.asked)


async def _started(chains: list[Chain], services: _CheckServices) -> list[tuple[Chain, PluginStartFailed]]:
    """Start and close every chain; return those that do not start."""
    failed = []
    for chain in chains:
        try:
            await chain.start(services)
        except PluginStartFailed as error:
            failed.append((chain, error))
        else:
            await chain.close()
    return failed
