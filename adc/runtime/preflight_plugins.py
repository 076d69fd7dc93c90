"""Plugins as `adc check` tries them: started and closed, on tables in memory."""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import NamedTuple

from adc.config import Config
from adc.plugin.chain import Chain
from adc.plugin.http_client import HttpClient, HttpLimits, UnusableClient, authorities
from adc.plugin.process_pool import ProcessPool
from adc.plugin.processes import Processes, ProcessLimits
from adc.plugin.table import Scope
from adc.plugin.use import PluginStartFailed
from adc.runtime.plugins import plugin_uses
from adc.runtime.serve.plugin_services import ProcessClocks, check_scope, log_path, shares_rates
from adc.runtime.steps import at_once
from adc.state.key_ring import KeyRing
from adc.state.memory import MemoryStore
from adc.telemetry.line_log import LineLog

Finding = tuple[tuple[str | int, ...], str]


class TriedPlugins(NamedTuple):
    """What is wrong with the plugins of a configuration, what is doubtful about them, and True if one of them declares
    a table."""

    findings: list[Finding]
    warnings: list[Finding]
    in_tables: bool


class _NoLog:
    dropped = 0

    def warn(self, message: str, /, **fields: object) -> None:
        """No-op: nothing is served."""

    def append(self, line: str) -> None:
        """No-op: nothing is served."""


class _CheckServices(ProcessClocks):
    """Services without a trace; `asked` once a plugin has declared a table."""

    def __init__(self, config: Config) -> None:
        self.log = _NoLog()
        self.shares_rates = shares_rates(config)
        self.asked = False
        self._config = config
        self._store = MemoryStore()

    def store(self, scope: Scope) -> MemoryStore:
        check_scope(self._config, scope)
        self.asked = True
        return self._store

    def log_file(self, path: str) -> _NoLog:
        """Raise OSError for a file that cannot be written; leave none behind."""
        place = log_path(self._config, path)
        new = not os.path.lexists(place)
        LineLog(place).close()
        if new and place != "-":
            os.unlink(place)
        return self.log

    def cache_folder(self, plugin: str) -> None:
        """Return None: nothing stays behind."""

    def processes(self, limits: ProcessLimits) -> Processes:
        """Return a pool, whose processes start when there is work."""
        return ProcessPool(limits)

    def http_client(self, limits: HttpLimits) -> HttpClient:
        """Return a client that sends nothing."""
        if limits.ca_file is not None:
            authorities(limits.ca_file)
        return UnusableClient()

    async def keys(self) -> KeyRing:
        """Return a secret that nothing keeps."""
        return KeyRing([secrets.token_bytes(32)])


def try_plugins(config: Config) -> TriedPlugins:
    """Make, start and close every plugin."""
    made = at_once(plugin_uses(config))
    catalog, uses, findings = made.catalog, made.by_route, made.findings
    services = _CheckServices(config)
    warnings: list[Finding] = []
    if not findings:
        asyncio.run(
            _start(config, [Chain(name, used) for name, used in uses.items()], services, findings, warnings)
        )
    if catalog is not None:
        catalog.close()
    return TriedPlugins(findings, warnings, services.asked)


async def _start(
    config: Config,
    chains: list[Chain],
    services: _CheckServices,
    findings: list[Finding],
    warnings: list[Finding],
) -> None:
    """Start and close every chain; add plugins that do not start to `findings`, their warnings to `warnings`."""
    numbers = {route.name: number for number, route in enumerate(config.routes)}
    for chain in chains:
        number = numbers[chain.route]
        places = [
            ("routes", number, "plugins", place, written.name)
            for place, written in enumerate(config.routes[number].plugins)
        ]
        try:
            await chain.start(services)
        except PluginStartFailed as error:
            index = next(index for index, use in enumerate(chain.uses) if use is error.use)
            findings.append((places[index], str(error)))
            continue
        for index, use in enumerate(chain.uses):
            warnings += [(places[index], text) for text in use.warnings()]
        await chain.close()
