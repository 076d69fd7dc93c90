"""The command `adc`: its verbs, and what they share."""

from __future__ import annotations

from typing import Annotated

import typer

import adc
from adc.cli import (
    cache,
    check,
    doctor,
    expectations,
    explain,
    members,
    plugins,
    reload,
    run,
    schema,
    sessions,
    status,
)
from adc.cli.demo.verb import demo
from adc.compilation import compiled

app = typer.Typer(
    name="adc",
    help="Application delivery controller: reverse proxy, load balancer, cache.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"adc {adc.__version__}, {'compiled' if compiled() else 'not compiled'}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Application delivery controller: reverse proxy, load balancer, cache."""


app.command()(run.run)
app.command()(check.check)
app.command()(doctor.doctor)
app.command()(explain.explain)
app.command("test")(expectations.expectations)
app.command()(schema.schema)
app.command()(demo)
app.command()(status.status)
app.command()(reload.reload)
app.add_typer(cache.cache, name="cache")
app.add_typer(members.members, name="members")
app.add_typer(sessions.sessions, name="sessions")
app.add_typer(plugins.plugins, name="plugins")
