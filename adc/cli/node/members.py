"""`adc members`: list members, take them out of service and back."""

from __future__ import annotations

from typing import Annotated

import typer

from adc.cli.admin_client import admin_address, carry_out
from adc.cli.arguments import AdminAddress, AdminConfig, Json
from adc.cli.output import print_json, print_table
from adc.runtime.operations import members as operations
from adc.runtime.operations.convert import to_json
from adc.runtime.operations.operation import NOTHING

members = typer.Typer(help="List members; drain, disable or enable one.", no_args_is_help=True)

PoolName = Annotated[str, typer.Argument(help="Name of the pool.", show_default=False)]
MemberName = Annotated[
    str, typer.Argument(help="The member as `adc members list` shows it.", show_default=False)
]

COLUMNS = ("pool", "member", "state", "active", "requests", "failures", "reason")


@members.command("list")
def list_members(admin: AdminAddress = None, config: AdminConfig = None, json: Json = False) -> None:
    """Show the members of every pool."""
    rows = carry_out(admin_address(admin, config), operations.LIST, NOTHING)
    if json:
        print_json(to_json(rows))
    else:
        print_table(COLUMNS, ([getattr(row, column) for column in COLUMNS] for row in rows))


def _changes(state: operations.Wish, text: str) -> None:
    """Add the verb that brings a member into `state`."""

    @members.command(state, help=text)
    def change(
        pool: PoolName,
        member: MemberName,
        admin: AdminAddress = None,
        config: AdminConfig = None,
        json: Json = False,
    ) -> None:
        request = operations.SetMember(pool, member, state)
        reply = carry_out(admin_address(admin, config), operations.SET, request)
        if json:
            print_json(to_json(reply))
        else:
            print(f"{pool} {member}: {state}")


_changes("drain", "Send no new clients to a member; pinned clients stay.")
_changes("disable", "Send no requests to a member.")
_changes("enable", "Return a member to service.")


def add(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.add_typer(members, name="members")
