"""`adc plugins`: the list of plugins, and the skeleton of a new one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zlib import crc32

import typer

from adc.cli.arguments import Json
from adc.cli.loading import load_or_fail
from adc.cli.output import MISUSED, fail, print_json, print_table
from adc.cli.plugin_skeleton import MODULE, RULE, TEST

if TYPE_CHECKING:
    from adc.plugin.loader import Catalog

plugins = typer.Typer(help="List plugins; create a new one.", no_args_is_help=True)

LOCAL_RULES = range(10_000, 100_000)
"""Ids for rules of one site; ModSecurity reserves those up to 99,999 for them."""

COLUMNS = ("plugin", "phases", "options", "origin")


@plugins.command("list")
def list_plugins(
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Configuration whose plugin_paths count too.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """List the available plugins."""
    from adc.plugin.loader import Catalog, LoadFailed

    folders = load_or_fail(config).config.plugin_paths if config is not None else ()
    try:
        catalog = Catalog(folders)
    except LoadFailed as error:
        fail(f"adc: {error}", MISUSED)
    rows = [_row(catalog, name) for name in catalog.names()]
    if json:
        print_json(rows)
    else:
        print_table(COLUMNS, ((row["plugin"], *map(_shown, list(row.values())[1:4])) for row in rows))


def _row(catalog: Catalog, name: str) -> dict[str, Any]:
    from adc.plugin.base import defined_phases
    from adc.plugin.loader import LoadFailed
    from adc.plugin.options import option_names

    row: dict[str, Any] = {"plugin": name, "phases": [], "options": [], "origin": catalog.origin(name)}
    try:
        plugin = catalog.find(name)
    except LoadFailed as error:
        return row | {"error": str(error), "origin": f"{row['origin']}: {error}"}
    summary = (plugin.__doc__ or "").strip().partition("\n")[0]
    return row | {
        "phases": list(defined_phases(plugin)),
        "options": option_names(plugin),
        "summary": summary,
    }


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


@plugins.command()
def new(
    name: Annotated[str, typer.Argument(help="Name for configurations, such as add_greeting.")],
    folder: Annotated[Path, typer.Option(help="Folder to write to; created if absent.")] = Path("plugins"),
    rule: Annotated[bool, typer.Option("--rule", help="Write a rule for the firewall instead.")] = False,
) -> None:
    """Write a working plugin with its test, or a rule for the firewall with its examples."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,60}", name) or name.startswith("test_"):
        fail(f"{name}: a name is lower-case letters, digits and _, and does not begin with test_", MISUSED)
    if rule:
        file = folder / f"{name}.py"
        _write({file: RULE}, name)
        print(f"Test it: adc waf test {file}. Use it: waf: {{rules: [core, {file}]}}")
        return
    _write({folder / f"{name}.py": MODULE, folder / f"test_{name}.py": TEST}, name)
    print(f"Test it: pytest {folder}. Use it: plugin_paths: [{folder}], and in a route plugins: [{name}]")


def _write(files: Mapping[Path, str], name: str) -> None:
    """Write the files of a skeleton, none if one exists, and print their names."""
    class_name = "".join(word.capitalize() for word in name.split("_"))
    number = str(LOCAL_RULES.start + crc32(name.encode()) % len(LOCAL_RULES))
    for path in files:
        if path.exists():
            fail(f"{path} exists already")
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            filled = text.replace("@name@", name).replace("@Class@", class_name).replace("@id@", number)
            path.write_text(filled, "utf-8")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    print(*files, sep="\n")
