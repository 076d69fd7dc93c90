"""`adc run CONFIG`: serve."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adc.cli.arguments import ConfigPath
from adc.cli.loading import load_or_fail
from adc.cli.output import fail

if TYPE_CHECKING:
    from adc.config import Loaded


def run(
    config: ConfigPath,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1024,
            help="Number of worker processes, instead of the configuration's; 0: none, for debugging.",
        ),
    ] = None,
    pidfile: Annotated[Path | None, typer.Option(help="File for the process id.")] = None,
) -> None:
    """Serve a configuration until SIGTERM or SIGQUIT (drain), or SIGINT (at once).

    SIGHUP reloads, SIGUSR1 reopens the logs, SIGUSR2 starts the new binary on the same sockets.
    """
    from adc.control.start import StartFailed, serve
    from adc.control.supervisor import RunOptions

    loaded = load_or_fail(config)
    try:
        serve(RunOptions(config, workers, pidfile), loaded, os.environ)
    except StartFailed as error:
        fail("\n".join([f"adc: {error}", *_reasons(loaded, str(error))]), error.code)


def _reasons(loaded: Loaded, known: str) -> list[str]:
    """Return every problem that keeps the configuration from being served here, with its place, as `adc check` prints
    it."""
    from adc.control.preflight import preflight

    wrong = preflight(loaded).wrong
    return [str(problem) for problem in wrong if str(problem) not in known]
