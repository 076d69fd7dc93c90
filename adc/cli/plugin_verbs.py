"""Verbs that plugins bring: what they get from adc."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from adc.cli.loading import load_or_fail
from adc.cli.output import MISUSED, fail
from adc.plugin.commands import CommandHost, ConfiguredPlugin, PluginConfiguration

if TYPE_CHECKING:
    from adc.config import Loaded
    from adc.config.model.routes import Route
    from adc.routing.router import Router


class Host(CommandHost):
    """Reads configurations for verbs of plugins."""

    def configuration(self, path: Path | None) -> PluginConfiguration:
        return _Configuration(load_or_fail(_running() if path is None else path))


def _running() -> Path:
    """Return the configuration file of the running service."""
    from adc.cli.admin_client import admin_address, get

    return Path(get(admin_address(None, None), "/api/v1/status")["config"])


class _Configuration(PluginConfiguration):
    def __init__(self, loaded: Loaded) -> None:
        from adc.runtime.plugins import plugin_uses
        from adc.runtime.steps import at_once

        self._loaded = loaded
        self._routers: dict[str, Router[Route]] = {}
        made = at_once(plugin_uses(loaded.config))
        self._uses, findings = made.by_route, made.findings
        if findings:
            fail("\n".join(map(str, loaded.problems(findings))), MISUSED)

    def uses(self, name: str) -> list[ConfiguredPlugin]:
        found = []
        for number, route in enumerate(self._loaded.config.routes):
            for place, (written, use) in enumerate(
                zip(route.plugins, self._uses.get(route.name, ()), strict=True)
            ):
                if written.name == name:
                    where = str(self._loaded.where(("routes", number, "plugins", place, name)))
                    found.append(ConfiguredPlugin(route.name, where, use.plugin))
        return found

    def route(self, method: str, url: str, headers: Iterable[tuple[str, str]] = ()) -> str | None:
        from adc.cli.asking import BadQuestion, identify, listener_for, make_request
        from adc.routing.router import Router
        from adc.routing.settle import settle
        from adc.runtime.assembly.routes import path_policy
        from adc.runtime.assembly.runtime import rules_of

        config = self._loaded.config
        try:
            listener = listener_for(self._loaded, None, url)
            request = make_request(method, url, headers, "127.0.0.1", listener.tls is not None)
        except BadQuestion as error:
            raise ValueError(str(error)) from None
        identify(config, listener, request)
        router = self._routers.get(listener.name)
        if router is None:
            rules = rules_of(config, listener, lambda path: str(self._loaded.where(path)))
            router = self._routers[listener.name] = Router(rules)
        found = settle(request, router.find, path_policy).value
        return None if found is None else found.name
