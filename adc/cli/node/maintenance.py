"""`adc maintenance`: turn maintenance on and off."""

from __future__ import annotations

from typing import Annotated

import typer

from adc.cli.admin_client import admin_address, carry_out
from adc.cli.arguments import AdminAddress, AdminConfig, Json
from adc.cli.output import print_json, print_table
from adc.runtime.operations import switches as operations
from adc.runtime.operations.convert import to_json
from adc.runtime.operations.operation import NOTHING

maintenance = typer.Typer(help="Turn maintenance on or off, or show it.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the switch, if a route has one of its own.")]


def _turns(verb: str, on: bool, text: str) -> None:
    """Add the verb that turns the switch."""

    @maintenance.command(verb, help=text)
    def change(
        name: Name = "maintenance",
        admin: AdminAddress = None,
        config: AdminConfig = None,
        json: Json = False,
    ) -> None:
        row = carry_out(admin_address(admin, config), operations.TURN, operations.Turn(name, on))
        if json:
            print_json(to_json(row))
        else:
            print(f"{name} {_state(row)}: routes {', '.join(row.routes)}")


_turns("on", True, "Answer 503 on the routes with the plugin maintenance.")
_turns("off", False, "Serve those routes again.")


@maintenance.command()
def status(admin: AdminAddress = None, config: AdminConfig = None, json: Json = False) -> None:
    """Show the switches and their routes."""
    rows = carry_out(admin_address(admin, config), operations.LIST, NOTHING)
    if json:
        print_json(to_json(rows))
    else:
        print_table(
            ("switch", "state", "routes"), ([row.name, _state(row), ", ".join(row.routes)] for row in rows)
        )


def _state(row: operations.SwitchRow) -> str:
    configured = " (by the configuration)" if row.configured else ""
    return f"on{configured}" if row.on else "off"


def add(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.add_typer(maintenance, name="maintenance")
