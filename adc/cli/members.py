"""`adc members`: list members, take them out of service and back."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from adc.cli.admin_client import admin_address, ask, get, message
from adc.cli.arguments import AdminAddress, AdminConfig, Json
from adc.cli.output import fail, print_json, print_table

members = typer.Typer(help="List members; drain, disable or enable one.", no_args_is_help=True)

PoolName = Annotated[str, typer.Argument(help="Name of the pool.", show_default=False)]
MemberName = Annotated[
    str, typer.Argument(help="The member as `adc members list` shows it.", show_default=False)
]

COLUMNS = ("pool", "member", "state", "active", "requests", "failures", "reason")


@members.command("list")
def list_members(admin: AdminAddress = None, config: AdminConfig = None, json: Json = False) -> None:
    """Show the members of every pool."""
    rows = get(admin_address(admin, config), "/api/v1/members")
    if json:
        print_json(rows)
    else:
        print_table(COLUMNS, ([row.get(column, "") for column in COLUMNS] for row in rows))


def _changes(state: str, tells: str) -> None:
    """Add the verb that brings a member into `state`."""

    @members.command(state, help=tells)
    def change(
        pool: PoolName,
        member: MemberName,
        admin: AdminAddress = None,
        config: AdminConfig = None,
        json: Json = False,
    ) -> None:
        path = f"/api/v1/members/{quote(pool, safe='')}/{quote(member, safe='')}"
        status, value = ask(admin_address(admin, config), "POST", path, {"state": state})
        if status != 200:
            fail(message(value))
        if json:
            print_json(value)
        else:
            print(f"{pool} {member}: {state}")


_changes("drain", "Send no new clients to a member; pinned clients stay.")
_changes("disable", "Send no requests to a member.")
_changes("enable", "Return a member to service.")
