"""`adc check CONFIG`: say everything that is wrong with a configuration, without serving it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adc.cli.arguments import ConfigPath, Json
from adc.cli.loading import read
from adc.cli.output import MISUSED, fail, print_json

if TYPE_CHECKING:
    from adc.config import Loaded


def check(config: ConfigPath, json: Json = False) -> None:
    """Check a configuration: exit code 0 if it can be served, 2 with every error listed if not."""
    loaded, errors = read(config)
    if loaded is not None:
        errors = _wrong_plugins(loaded)
        loaded = None if errors else loaded
    warnings = (
        []
        if loaded is None
        else [str(finding) for finding in (*loaded.lint, *loaded.timeouts(), *loaded.lint_ports())]
    )
    if json:
        print_json({"ok": loaded is not None, "errors": errors, "warnings": warnings})
    for warning in [] if json else warnings:
        print(f"warning: {warning}")
    if loaded is None:
        fail("\n".join([] if json else errors), MISUSED)
    if not json:
        print(f"{config}: ok")


def _wrong_plugins(loaded: Loaded) -> list[str]:
    """What the plugins' own code finds wrong with their options."""
    from adc.config.errors import Problem
    from adc.runtime.plugins import plugin_uses

    return [
        str(Problem(loaded.where(path), path, message)) for path, message in plugin_uses(loaded.config)[2]
    ]
