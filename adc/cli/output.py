"""Output of commands: JSON, tables, errors; and the exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import typer

FAILED, MISUSED = 1, 2
"""Exit codes besides 0: failed; usage or configuration error."""

WIDE = 4096
"""Columns for a reader that is no terminal: a line is never folded."""


def fail(text: str, code: int = FAILED) -> NoReturn:
    """End the command with `text` on standard error."""
    print(text, file=sys.stderr)
    raise typer.Exit(code)


def printable(text: str) -> str:
    """Return `text` with escapes for what a terminal would obey or could not encode: clients choose some of it."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def print_json(value: Any) -> None:
    """Print `value` for a program to read."""
    print(json.dumps(value, indent=1))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows for a person to read; nothing is cut off where the output is no terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)
