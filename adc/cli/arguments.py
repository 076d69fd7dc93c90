"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigPath = Annotated[
    Path, typer.Argument(help="Configuration file, or a folder of *.yaml files.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AdminAddress = Annotated[
    str | None,
    typer.Option(
        "--admin",
        metavar="HOST:PORT",
        help="Admin address; the configuration's, or 127.0.0.1:9901, by default. ADC_ADMIN_TOKEN in the environment is "
        "its token.",
    ),
]
AdminConfig = Annotated[
    Path | None,
    typer.Option("--config", help="Configuration that names the admin address.", show_default=False),
]
