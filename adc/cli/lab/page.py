"""The results as one HTML page that needs no network and no script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from adc.cli.lab.scenario import Result


def page(results: Sequence[Result]) -> str:
    """Return the page. All texts are escaped; the drawings escape theirs."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    drawings = [Markup(result.drawing) for result in results]
    return environment.get_template("page.html.j2").render(results=results, drawings=drawings)
