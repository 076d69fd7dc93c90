"""Reading a configuration for a command: every error is printed, none is a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from adc.cli.output import MISUSED, fail

if TYPE_CHECKING:
    from adc.config import Loaded


def read(path: Path) -> tuple[Loaded | None, list[str]]:
    """Return the configuration, or None and every error."""
    from adc.config import ConfigErrors, load

    try:
        return load(path), []
    except ConfigErrors as errors:
        return None, [str(problem) for problem in errors.problems]


def load_or_fail(path: Path) -> Loaded:
    """Return the configuration, or the end of the command with code 2."""
    loaded, errors = read(path)
    if loaded is None:
        fail("\n".join(errors), MISUSED)
    return loaded
