"""The command `adc`: its verbs, and what they share."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated

import typer

import adc
from adc.cli import check, doctor, expectations, explain, node, plugins, run, schema
from adc.cli.demo.verb import demo
from adc.cli.lab.verb import lab
from adc.cli.verbs import Verbs
from adc.compilation import compiled

app = typer.Typer(
    name="adc",
    cls=Verbs,
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
for _verb in iter_modules(node.__path__):
    import_module(f"{node.__name__}.{_verb.name}").add(app)
app.add_typer(plugins.plugins, name="plugins")
app.add_typer(lab, name="lab")
