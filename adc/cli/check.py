"""`adc check CONFIG`: say everything that is wrong with a configuration, without serving it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adc.cli.arguments import ConfigPath, Json
from adc.cli.loading import read
from adc.cli.output import MISUSED, fail, print_json

if TYPE_CHECKING:
    from adc.config import Loaded


def check(config: ConfigPath, json: Json = False) -> None:
    """Check a configuration: exit code 2 with every error listed if it is wrong. What this machine lacks to serve it,
    such as the file of a certificate, is a warning."""
    loaded, errors = read(config)
    if loaded is not None:
        errors = _wrong_plugins(loaded)
        loaded = None if errors else loaded
    warnings = (
        []
        if loaded is None
        else [
            *map(str, (*loaded.lint, *loaded.timeouts(), *loaded.lint_ports())),
            *_missing_here(loaded),
        ]
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


def _missing_here(loaded: Loaded) -> list[str]:
    """What keeps this machine from serving it: files of certificates, error pages, fixed answers."""
    from random import Random

    from adc.runtime.errors import BuildError
    from adc.runtime.runtime import Runtime

    try:
        Runtime(loaded.config, Random())
    except BuildError as error:
        return [f"cannot be served here: {error}"]
    return []
