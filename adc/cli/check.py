"""`adc check CONFIG`: say everything that is wrong with a configuration, without serving it."""

from __future__ import annotations

from adc.cli.arguments import ConfigPath, Json
from adc.cli.loading import read
from adc.cli.output import MISUSED, fail, print_json


def check(config: ConfigPath, json: Json = False) -> None:
    """Check a configuration: exit code 2 with all errors if it is invalid or `adc run` would reject it here.

    An address in use is a warning: the listener may be adc itself.
    """
    loaded, errors = read(config)
    warnings: list[str] = []
    if loaded is not None:
        from adc.control.preflight import preflight

        found = preflight(loaded)
        errors = [str(problem) for problem in found.wrong]
        doubtful = (*loaded.lint, *loaded.timeouts(), *found.taken, *found.doubtful)
        warnings = [str(problem) for problem in doubtful]
    if json:
        print_json({"ok": not errors, "errors": errors, "warnings": warnings})
    for warning in [] if json else warnings:
        print(f"warning: {warning}")
    if errors:
        fail("\n".join([] if json else errors), MISUSED)
    if not json:
        print(f"{config}: ok")
