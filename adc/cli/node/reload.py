"""`adc reload`: let the running service read its configuration again."""

from __future__ import annotations

import sys

import typer

from adc.cli.admin_client import admin_address, ask, message
from adc.cli.arguments import AdminAddress, AdminConfig, Json
from adc.cli.output import FAILED, fail, print_json


def reload(admin: AdminAddress = None, config: AdminConfig = None, json: Json = False) -> None:
    """Reload the configuration; exit code 1 and the reasons if it is rejected."""
    status, value = ask(admin_address(admin, config), "POST", "/api/v1/reload")
    if "result" not in value:
        fail(f"{status}: {message(value)}")
    ok = value["result"] == "ok"
    if json:
        print_json(value)
    else:
        for line in value["messages"]:
            print(f"warning: {line}" if ok else line, file=sys.stderr)
        print("reloaded" if ok else "not reloaded: the old configuration stays in use")
    if not ok:
        raise typer.Exit(FAILED)


def add(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(reload)
