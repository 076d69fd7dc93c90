"""The verbs of the command: those of adc, and those that installed plugins bring."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from adc.cli.output import MISUSED, fail

GROUP = "adc.commands"


class Verbs(TyperGroup):
    """Looks up a verb that adc does not have among the entry points `adc.commands`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all verbs, those of plugins last."""
        own = super().list_commands(ctx)
        return [*own, *sorted({entry.name for entry in entry_points(group=GROUP)} - set(own))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a verb; one of a plugin is imported now, and gets a `CommandHost` as the context's object."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        entry = next(iter(entry_points(group=GROUP, name=cmd_name)), None)
        if entry is None:
            return None
        from adc.cli.plugin_verbs import Host

        ctx.obj = Host()
        return _loaded(entry)


def _loaded(entry: EntryPoint) -> Any:
    try:
        verb = entry.load()
    except Exception as error:
        fail(f"adc: the verb {entry.name} of {entry.value} cannot be loaded: {error}", MISUSED)
    if not isinstance(verb, typer.Typer):
        fail(f"adc: the verb {entry.name} is {entry.value}, which is no typer.Typer", MISUSED)
    command = get_command(verb)
    command.name = entry.name
    return command
