"""One use of a plugin: its instance in a route, its limits, what is counted of it, and its life."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from adc.plugin.background import Background
from adc.plugin.base import Plugin, defined_phases
from adc.plugin.context import Context
from adc.plugin.declared import Declared
from adc.plugin.host import Host, Services
from adc.plugin.metrics import Counter
from adc.plugin.watched_files import WatchedFiles

OnError = Literal["fail_closed", "fail_open"]

START_SECONDS = 60.0
"""Timeout of `start`: a firewall compiles its rules there, beside all other workers of a busy machine."""
CLOSE_SECONDS = 10.0
"""Timeout of the end of background tasks, and of `close`, each."""


class PluginStartFailed(Exception):
    """A plugin did not start; the text names it and says why, `use` is what did not start."""

    def __init__(self, use: PluginUse, reason: str) -> None:
        super().__init__(f"plugin {use.name} does not start: {reason}")
        self.use = use


class PluginFailed(Exception):
    """A plugin that fails closed has failed; `status` is the response to the client."""

    def __init__(self, use: PluginUse, reason: str, status: int = 500) -> None:
        super().__init__(f"plugin {use.name}: {reason}")
        self.status = status


@dataclass(frozen=True)
class Policy:
    """Limits of one use of a plugin. `budget`: seconds that its code may hold the worker at a
    stretch; `timeout`: seconds that one call of an `async def` phase may take in all."""

    on_error: OnError = "fail_closed"
    budget: float = 1.0
    timeout: float = 5.0


class PluginUse:
    """A plugin in a route. `name` distinguishes it from other uses in the route."""

    __slots__ = ("_background", "declared", "errors", "name", "plugin", "policy", "stopped")

    def __init__(self, name: str, plugin: Plugin[Any], policy: Policy) -> None:
        self.name = name
        self.plugin = plugin
        self.policy = policy
        self.errors: dict[tuple[str, str], int] = {}
        self.stopped = Counter("stopped", "Exchanges that the plugin answered.")
        self.declared = Declared()
        self._background: Background | None = None

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases that are compiled into the route. A plugin that transforms has a response head phase: with it the
        head of the response is restated."""
        plugin = self.plugin
        defined = () if plugin.disabled else defined_phases(type(plugin))
        found = tuple(phase for phase in defined if phase not in plugin.unused)
        return (*found, "response_head") if self.transforms and "response_head" not in found else found

    @property
    def transforms(self) -> bool:
        """True if the plugin replaces response content."""
        plugin = self.plugin
        idle = plugin.observes or plugin.disabled or "response_body" in plugin.unused
        return plugin.transforms and not idle and "response_body" in defined_phases(type(plugin))

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The background tasks that run."""
        return frozenset() if self._background is None else self._background.tasks

    def failed(self, context: Context, phase: str, reason: str, detail: str, status: int = 500) -> None:
        """Count and log a failed phase; raise PluginFailed if this use fails closed."""
        self._count_error(phase, reason)
        context.warn(detail, phase=phase, reason=reason)
        if self.policy.on_error == "fail_closed" and not self.plugin.observes:
            raise PluginFailed(self, reason, status)

    async def start(self, route: str, services: Services) -> None:
        """Start the plugin. Raises PluginStartFailed, with nothing left running."""

        def failed(reason: str, detail: str) -> None:
            self._count_error("background", reason)
            host.warn(detail, phase="background", reason=reason)

        background = self._background = Background(self.policy.budget, failed)
        files = WatchedFiles(background, services, failed)
        host = Host(self.name, route, services, self.declared, background, files)
        try:
            async with asyncio.timeout(START_SECONDS):
                await self.plugin.start(host)
        except (Exception, SystemExit) as error:
            await background.end(CLOSE_SECONDS)
            await self.declared.close()
            raise PluginStartFailed(self, _reason(error)) from error
        finally:
            self.declared.seal()

    def warnings(self) -> list[str]:
        """Return what the plugin warns of, or that it cannot say."""
        try:
            return list(self.plugin.warnings())
        except Exception as error:
            return [f"warnings failed: {_reason(error)}"]

    async def close(self) -> list[str]:
        """End the background tasks, then close the plugin; return what went wrong."""
        problems = []
        background = self._background
        if background is not None and (left := await background.end(CLOSE_SECONDS)):
            problems.append(f"plugin {self.name}: {left} background tasks do not end when they are cancelled")
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.plugin.close()
        except (Exception, SystemExit) as error:
            problems.append(f"plugin {self.name} does not close: {type(error).__name__}: {error}")
        await self.declared.close()
        return problems

    def adopt(self, before: PluginUse) -> None:
        """Count on together with the same use in the configuration before, whose last exchanges still count."""
        for key, number in self.errors.items():
            before.errors[key] = before.errors.get(key, 0) + number
        self.errors = before.errors
        self.stopped.adopt(before.stopped)
        for name, counter in self.declared.counters.items():
            known = before.declared.counters.get(name)
            if known is not None:
                counter.adopt(known)
        for name, keyed in self.declared.keyed.items():
            counted = before.declared.keyed.get(name)
            if counted is not None:
                keyed.adopt(counted)

    def _count_error(self, phase: str, reason: str) -> None:
        self.errors[phase, reason] = self.errors.get((phase, reason), 0) + 1


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"it took more than {START_SECONDS:g} s"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename} cannot be used: {error.strerror}"
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
