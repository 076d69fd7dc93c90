"""What verbs of plugins get from adc.

A package brings a verb by an entry point of the group `adc.commands`: the name is the verb, the value a `typer.Typer`.
It is imported when the verb is called. Its commands get a `CommandHost` as the object of their context:

    waf = typer.Typer(help="...")

    @waf.command()
    def rules(context: typer.Context, config: Path) -> None:
        host: CommandHost = context.obj
        for use in host.configuration(config).uses("waf"):
            print(use.route, use.plugin.options)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adc.plugin.base import Plugin

COMMANDS = "adc.commands"
"""Group of the entry points."""


@dataclass(frozen=True, slots=True)
class ConfiguredPlugin:
    """A use of a plugin in a configuration. `plugin` has its options; it is not started."""

    route: str
    place: str
    """File and line, for messages."""
    plugin: Plugin[Any]


class PluginConfiguration(ABC):
    """A configuration as far as plugins are concerned."""

    @abstractmethod
    def uses(self, name: str) -> list[ConfiguredPlugin]:
        """Return the uses of the plugin `name`, in the order of the file."""

    @abstractmethod
    def route(self, method: str, url: str, headers: Iterable[tuple[str, str]] = ()) -> str | None:
        """Return the name of the route that serves a request, None without one. `url` is a path or a whole URL.

        Raises ValueError for a request that no route can be asked about.
        """


class CommandHost(ABC):
    """What adc offers a verb."""

    @abstractmethod
    def configuration(self, path: Path | None) -> PluginConfiguration:
        """Read a configuration; without a path, that of the service whose admin server runs at the default address.

        The command ends with exit code 2 and every error if it is invalid.
        """
