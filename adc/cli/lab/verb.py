"""`adc lab sessions`: real packets, real nodes, and a timeline of what happened."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adc.cli.arguments import Json
from adc.cli.output import FAILED, MISUSED, fail, print_json

if TYPE_CHECKING:
    from adc.cli.lab.scenario import Result, Scenario

NAMES = (
    *("nothing", "equal", "keep-alive", "accept", "notify"),
    *("asymmetric-nothing", "asymmetric-synchronise", "asymmetric-redirect"),
)

lab = typer.Typer(
    help="Show what real nodes do to real packets, in network namespaces.", no_args_is_help=True
)


@lab.callback()
def _lab() -> None:
    """Show what real nodes do to real packets, in network namespaces."""


@lab.command()
def sessions(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SCENARIO",
            help=f"Scenarios, all by default: {', '.join(NAMES)}.",
            show_default=False,
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with drawings.")] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write a drawing for each scenario.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what happens when a device forgets a flow or sees half of it, and what each remedy does.

    Needs root and ip; some scenarios need nft, conntrack or redis-server. Takes about a minute.
    """
    unknown = sorted(set(names or ()) - set(NAMES))
    if unknown:
        fail(f'adc lab: unknown scenario "{unknown[0]}"; use {", ".join(NAMES)}', MISUSED)
    from adc.cli.lab.topology import why_not

    if why := why_not():
        fail(f"adc lab: {why}")
    for folder in (path.absolute().parent for path in (html, svg) if path is not None):
        if not folder.is_dir():
            fail(f"adc lab: {folder} is no folder", MISUSED)
    known = scenarios()
    with _sigterm_unwinds():
        results = [_run(known[name], as_json) for name in (names or NAMES)]
    _write(results, html, svg)
    if as_json:
        print_json([result.data() for result in results])
    if any(result.finding is None for result in results):
        raise typer.Exit(FAILED)


@contextmanager
def _sigterm_unwinds() -> Iterator[None]:
    """Have SIGTERM end the command as an exception does: nodes end, and networks are removed."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(FAILED))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write(results: list[Result], html: Path | None, svg: Path | None) -> None:
    """Write the page and the drawings that are asked for."""
    if html is not None:
        from adc.cli.lab.page import page

        html.write_text(page(results))
    if svg is not None:
        svg.mkdir(exist_ok=True)
        for result in results:
            if result.finding is not None:
                (svg / f"{result.scenario.name}.svg").write_text(result.drawing)


def scenarios() -> dict[str, Scenario]:
    """Return all scenarios by name, in the order of `NAMES`."""
    from adc.cli.lab.asymmetric import ASYMMETRIC
    from adc.cli.lab.idle import IDLE

    return {scenario.name: scenario for scenario in (*IDLE, *ASYMMETRIC)}


def _run(scenario: Scenario, quiet: bool) -> Result:
    """Run a scenario and print what it found."""
    from adc.cli.lab.node import DoesNotStart
    from adc.cli.lab.scenario import Result

    print(f"{scenario.name} ...", file=sys.stderr, flush=True)
    missing = [name for name in scenario.needs if shutil.which(name) is None]
    if missing:
        result = Result(scenario, skipped=f"not installed: {', '.join(missing)}")
    else:
        with tempfile.TemporaryDirectory(prefix="adc-lab-") as folder:
            try:
                result = Result(scenario, scenario.run(Path(folder)))
            except (DoesNotStart, RuntimeError, OSError) as error:
                result = Result(scenario, skipped=str(error))
    if not quiet:
        print(result.text(), flush=True)
    return result
