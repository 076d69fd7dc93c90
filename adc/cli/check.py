"""`adc check CONFIG`: say everything that is wrong with a configuration, without serving it."""

from __future__ import annotations

from adc.cli.arguments import ConfigPath, Json
from adc.cli.loading import read
from adc.cli.output import MISUSED, fail, print_json


def check(config: ConfigPath, json: Json = False) -> None:
    """Check a configuration: exit code 0 if it can be served, 2 with every error listed if not."""
    loaded, errors = read(config)
    warnings = [] if loaded is None else [str(finding) for finding in (*loaded.lint, *loaded.lint_ports())]
    if json:
        print_json({"ok": loaded is not None, "errors": errors, "warnings": warnings})
    for warning in [] if json else warnings:
        print(f"warning: {warning}")
    if loaded is None:
        fail("\n".join([] if json else errors), MISUSED)
    if not json:
        print(f"{config}: ok")
